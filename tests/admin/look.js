// What stands in somebody's way on this page, as it stands now: the function that a test evaluates.
async (judged) => {
  const found = judged
    ? (await axe.run(document, { resultTypes: ["violations"] })).violations
    : [];
  return {
    width: innerWidth,
    wider: document.documentElement.scrollWidth > innerWidth,
    rules: found.map((each) => [each.id, each.impact, each.nodes[0].html]),
  };
}
