// Built by build.py from authz.ts and openapi.ts 652cd184f63f3b416cd3b442c28350c9053a39e5bb6b9269919baf1fc73b0268
const MOST = 200;
export class Authz {
    options;
    waiting = [];
    constructor(options = {}) {
        this.options = options;
    }
    may(question) {
        return new Promise((tell) => {
            this.waiting.push({ question, tell });
            if (this.waiting.length === 1)
                queueMicrotask(() => this.flush());
        });
    }
    mayEach(questions) {
        return Promise.all(questions.map((question) => this.may(question)));
    }
    flush() {
        const all = this.waiting.splice(0);
        for (let begin = 0; begin < all.length; begin += MOST) {
            void this.send(all.slice(begin, begin + MOST));
        }
    }
    async send(asked) {
        let answers;
        try {
            answers = await this.answers(asked.map(({ question }) => question));
        }
        finally {
            asked.forEach(({ tell }, place) => tell(answers?.[place] === true));
        }
    }
    async answers(questions) {
        try {
            const answer = await (this.options.fetch ?? fetch)(this.options.path ?? "/authz/may", {
                method: "POST",
                headers: { ...this.options.headers?.(), "Content-Type": "application/json" },
                body: JSON.stringify({ questions }),
                credentials: "same-origin",
                cache: "no-store",
                redirect: "error",
            });
            if (!answer.ok) {
                this.options.onFault?.((await answer.json()));
                return undefined;
            }
            const { answers } = (await answer.json());
            if (Array.isArray(answers) && answers.length === questions.length)
                return answers;
            this.options.onFault?.(new Error("The application answered something else."));
        }
        catch (fault) {
            this.options.onFault?.(fault instanceof Error ? fault : new Error(String(fault)));
        }
        return undefined;
    }
}
