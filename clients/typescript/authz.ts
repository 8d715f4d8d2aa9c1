// What a page may show, asked of its own application: POST /authz/may.
//
// The application answers for whoever is signed in to it. An answer is for what the page shows
// of itself; whoever asks for the data is asked about anew. Anything but a clear "yes" is "no".

import type { Action, Entity, Problem } from "./openapi";

/** One question; who asks is never part of it. */
export interface Question {
  action: Action["name"];
  /** The category of data, as `assessment_result`. */
  category: Entity["type"];
  /** The id of the person whose data they are. */
  person: Entity["id"];
  purpose?: string;
}

export interface Options {
  /** Where the application answers; by default `/authz/may`. */
  path?: string;
  /** Told of each exchange that failed; the answers are `false` all the same. */
  onFault?: (fault: Error | Problem) => void;
  /** Headers of each request, as `Authorization`. */
  headers?: () => Record<string, string>;
  fetch?: typeof fetch;
}

interface Waiting {
  question: Question;
  tell: (answer: boolean) => void;
}

const MOST = 200;

/** Asks the application; what is asked in the same turn goes out in one request. */
export class Authz {
  private waiting: Waiting[] = [];

  constructor(private readonly options: Options = {}) {}

  /** May whoever is signed in do this? */
  may(question: Question): Promise<boolean> {
    return new Promise((tell) => {
      this.waiting.push({ question, tell });
      if (this.waiting.length === 1) queueMicrotask(() => this.flush());
    });
  }

  /** The same for many questions, in their order. */
  mayEach(questions: readonly Question[]): Promise<boolean[]> {
    return Promise.all(questions.map((question) => this.may(question)));
  }

  private flush(): void {
    const all = this.waiting.splice(0);
    for (let begin = 0; begin < all.length; begin += MOST) {
      void this.send(all.slice(begin, begin + MOST));
    }
  }

  private async send(asked: Waiting[]): Promise<void> {
    let answers: unknown[] | undefined;
    try {
      answers = await this.answers(asked.map(({ question }) => question));
    } finally {
      asked.forEach(({ tell }, place) => tell(answers?.[place] === true));
    }
  }

  private async answers(questions: Question[]): Promise<unknown[] | undefined> {
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
        this.options.onFault?.((await answer.json()) as Problem);
        return undefined;
      }
      const { answers } = (await answer.json()) as { answers?: unknown };
      if (Array.isArray(answers) && answers.length === questions.length) return answers;
      this.options.onFault?.(new Error("The application answered something else."));
    } catch (fault) {
      this.options.onFault?.(fault instanceof Error ? fault : new Error(String(fault)));
    }
    return undefined;
  }
}
