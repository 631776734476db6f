/** What the clients of Cloudflare and GitHub share: a call with a time limit, and how often it is repeated. */
import { Refusal } from "./config.ts";
import { messageOf } from "./tell.ts";

/** Stands for a status where there was none, or none that could be read. */
export const NO_ANSWER = 0;
export const TOO_MANY_REQUESTS = 429;
/** A limit that ends later than this is reported, not waited for. */
export const LONGEST_WAIT_SECONDS = 60;

/** A call that failed, or that was refused. */
export class ApiError extends Refusal {
  constructor(
    message: string,
    readonly status: number,
    /** Seconds to wait, where the API names them. */
    readonly waitSeconds?: number | undefined,
    /** Cloudflare's numbers of what is wrong. */
    readonly codes: readonly number[] = [],
    /** What the token lacks, where GitHub says it. */
    readonly lacks = "",
  ) {
    super(message + lacks);
  }

  /** Whether the same call may succeed a moment later. */
  get passing(): boolean {
    return (
      [NO_ANSWER, TOO_MANY_REQUESTS].includes(this.status) || this.status >= 500
    );
  }
}

/** How patient a client is. */
interface Limits {
  attempts: number;
  secondMs: number;
  timeoutMs: number;
  /** When all of it has to be over, as Date.now() counts. */
  deadline?: number;
}

export abstract class Api {
  constructor(
    private readonly name: string,
    private readonly url: string,
    private readonly headers: Record<string, string>,
    private readonly limits: Limits,
  ) {}

  /** One call. @returns its body as JSON, too, where it is an object or a list */
  protected async send(method: string, path: string, body?: unknown) {
    const { timeoutMs, deadline = Infinity } = this.limits;
    const left = Math.max(0, deadline - Date.now());
    try {
      const response = await fetch(this.url + path, {
        method,
        signal: AbortSignal.timeout(Math.min(timeoutMs, left)),
        headers: { ...this.headers, "content-type": "application/json" },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { response, text, json: parseObject(text) };
    } catch (error) {
      return this.unheard(`${method} ${path}: no answer (${messageOf(error)})`);
    }
  }

  protected unheard(what: string): never {
    throw new ApiError(`${this.name}: ${what}`, NO_ANSWER);
  }

  /**
   * Repeats an action a few times: after a rate limit always, since nothing was done then; after a failure or silence
   * only what is `repeatable`.
   */
  async patiently<T>(action: () => Promise<T>, repeatable = true): Promise<T> {
    const { attempts, secondMs, deadline = Infinity } = this.limits;
    for (let attempt = 1; ; attempt++) {
      try {
        return await action();
      } catch (error) {
        const again =
          error instanceof ApiError &&
          (repeatable ? error.passing : error.status === TOO_MANY_REQUESTS);
        if (!again || attempt === attempts) throw error;
        const wait = error.waitSeconds ?? attempt;
        if (wait > LONGEST_WAIT_SECONDS) throw error;
        if (Date.now() + secondMs * wait > deadline) throw error;
        await Bun.sleep(secondMs * wait);
      }
    }
  }
}

/** The seconds that an answer asks to wait. */
export function retryAfter(headers: Headers): number | undefined {
  const seconds = Number(headers.get("retry-after") || NaN);
  return seconds >= 0 ? seconds : undefined;
}

/** With undefined for what does not exist. */
export function unlessMissing(error: unknown): undefined {
  if (!(error instanceof ApiError && error.status === 404)) throw error;
}

/** What a text is as JSON; undefined where it is neither an object nor a list. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
