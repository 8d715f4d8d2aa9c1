// What stands in somebody's way on this page, as it stands now: the function that a test evaluates.
//
// Colours cost axe most. Texts that look the same all the way up to the page (colour, size, what
// is behind them, where they are put) have the same contrast, so axe is shown one of each look.
async (phone) => {
  const known = new Map();
  const number = (text) => known.get(text) ?? known.set(text, known.size).get(text);
  const grounds = new Map();
  const ground = (each) => {
    if (!each) return 0;
    if (!grounds.has(each)) {
      const s = getComputedStyle(each);
      const own = [s.backgroundColor, s.backgroundImage, s.opacity, s.filter, s.position];
      const place = [s.inset, s.clipPath, s.visibility, s.display === "none", each.ariaDisabled];
      grounds.set(each, number([...own, ...place, each.disabled, ground(each.parentElement)].join("|")));
    }
    return grounds.get(each);
  };
  const look = (each) => {
    const s = getComputedStyle(each);
    const off = each.closest("label")?.control?.disabled;
    const hidden = !each.checkVisibility();
    return [s.color, s.fontSize, s.fontWeight, s.textShadow, off, hidden, ground(each)].join("|");
  };
  const says = (each) =>
    each.matches("input, select, textarea") ||
    [...each.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const looks = new Map();
  for (const each of phone ? document.body.querySelectorAll("*") : []) {
    if (!says(each)) continue;
    const seen = look(each);
    if (!looks.has(seen)) looks.set(seen, each);
  }
  const ask = async (context, options) =>
    (await axe.run(context, { resultTypes: ["violations"], ...options })).violations;
  const found = phone
    ? [
        ...(await ask(document, { rules: { "color-contrast": { enabled: false } } })),
        ...(await ask({ include: [...looks.values()] }, { runOnly: ["color-contrast"] })),
      ]
    : [];
  return {
    width: innerWidth,
    wider: document.documentElement.scrollWidth > innerWidth,
    rules: found.map((each) => [each.id, each.impact, each.nodes[0].html]),
  };
}
