/** GitHub as a survey of it sees it, and what it finds: settings, and the changes that would make them right. */
import { type Config, type Profile, Refusal } from "./config.ts";
import { type GitHub } from "./github.ts";
import { ApiError } from "./http.ts";

/** "hidden": this token may not see it. "problem": nothing that GitHub could fix. "note": as it should be, and good to know. */
export type State =
  "ok" | "missing" | "differs" | "hidden" | "problem" | "note";

/** One thing that GitHub should have. */
export interface Setting {
  /** The environment's name on GitHub, or undefined for what belongs to the repository. */
  environment: string | undefined;
  name: string;
  state: State;
  now: string | null;
  wanted: string | null;
}

/** One step of `apply`. */
export interface Change {
  title: string;
  /** The secret whose value it wants. */
  needs?: Secret;
  fix: (value: string) => Promise<unknown>;
}

export interface Secret {
  profile: string;
  name: string;
}

export interface Survey {
  settings: Setting[];
  /** In the order in which they are made. */
  changes: Change[];
  /** Why nothing can be changed: the token may not, or nobody said who approves. */
  obstacle: Error | undefined;
}

/** What the command line asks for. */
export interface Wish {
  /** Whose rules count in place of those in alchemy.config.ts. */
  rules: Pick<Profile, "reviewers" | "preventSelfReview" | "waitMinutes">;
  /** Secrets to write again. */
  renew: string[];
  /** The repository's plan offers no required reviewers, and its owner says that they know. */
  noApproval: boolean;
  sharedAccount: boolean;
}

export const HIDDEN = Symbol("hidden");

/** A survey that is under way. */
export class View {
  readonly settings: Setting[] = [];
  readonly obstacles: Error[] = [];

  constructor(
    readonly github: GitHub,
    readonly config: Config,
    readonly wish: Wish,
    readonly isPrivate: boolean,
  ) {}

  /** Adds a line to what is told. @returns whether it is neither right nor out of sight */
  tell(
    environment: string | undefined,
    name: string,
    now: string | null | typeof HIDDEN,
    wanted: string | null,
    same = now === wanted,
  ): boolean {
    const setting = { environment, name, wanted };
    if (now === HIDDEN) {
      this.settings.push({ ...setting, state: "hidden", now: null });
      return false;
    }
    const differs = now === null ? "missing" : "differs";
    this.settings.push({
      ...setting,
      state: same ? "ok" : differs,
      now: same ? wanted : now,
    });
    return !same;
  }

  remark(state: "problem" | "note", name: string): void {
    this.settings.push({
      environment: undefined,
      name,
      state,
      now: null,
      wanted: null,
    });
  }

  /** What GitHub answers: nothing where there is none, HIDDEN where this token may not look. */
  async look<T>(path: string): Promise<T | undefined | typeof HIDDEN> {
    try {
      return await this.github.get<T>(path);
    } catch (error) {
      if (!(error instanceof ApiError) || ![403, 404].includes(error.status))
        throw error;
      // For want of a scope GitHub says 404 as well.
      if (error.status === 404 && !error.lacks) return undefined;
      return this.mayNot(error.lacks);
    }
  }

  mayNot(lacks: string): typeof HIDDEN {
    this.obstacles.push(
      new Refusal(
        `This token may not change ${this.github.repository}${lacks}. It takes one of somebody who administers it: a classic one with the scope repo (and read:org for teams), or a fine-grained one that may write Administration, Environments, Secrets and Variables. Nothing was changed.`,
      ),
    );
    return HIDDEN;
  }

  pathOf(environment: string): string {
    return `environments/${environment}`;
  }
}
