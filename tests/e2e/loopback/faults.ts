/** What goes wrong with an answer, of an API or of the app itself. */

/** How an answer comes, where it comes at all. */
export interface Manner {
  /** Instead of the right one. */
  status?: number;
  headers?: Record<string, string>;
  /** A page for people, or the first half of what should come. */
  body?: "html" | "truncated";
  /** Waits for ever, or breaks off the connection. */
  never?: "hang" | "reset";
}

/** What the calls of a kind meet. */
export interface Fault extends Manner {
  method: string;
  /** The end of the path. */
  path: string;
  times: number;
  /** How many calls go well before. */
  after?: number;
  /** False where nothing is done; else the call is done, and its answer spoiled. */
  done?: boolean;
}

/** What users of a host meet. */
export interface Trouble extends Manner {
  host: string;
  kind:
    | "every" // request
    | "nth" // request alone
    | "other-paths" // than /health
    | "old" // version, whatever a header asks for
    | "late"; // version: a header works after a while
  n?: number;
  ms?: number;
  /** Before an answer, in milliseconds. */
  slow?: number;
}

export const NEVER = () => new Promise<never>(() => {});

/** Whether a fault is for this call; one that waits for its turn comes nearer. */
export function meets(fault: Fault, method: string, path: string): boolean {
  if (fault.times <= 0) return false;
  if (fault.method !== method || !path.endsWith(fault.path)) return false;
  if ((fault.after ?? 0) > 0) {
    fault.after = (fault.after ?? 0) - 1;
    return false;
  }
  fault.times--;
  return true;
}

/** The answer that comes instead of a right one. */
export async function spoiled(
  { status = 200, headers = {}, body, never }: Manner,
  right: () => Promise<Response>,
): Promise<Response> {
  if (never === "hang") return NEVER();
  if (never === "reset") return reset();
  const text =
    body === "html"
      ? "<!doctype html><title>Hello</title>"
      : body === "truncated"
        ? await half(await right())
        : JSON.stringify({
            success: false,
            result: null,
            errors: [{ code: 10013, message: "an error of the test's making" }],
          });
  return new Response(text, { status, headers });
}

async function half(right: Response): Promise<string> {
  const text = await right.text();
  return text.slice(0, Math.ceil(text.length / 2));
}

/** An answer that ends before it should. */
function reset(): Response {
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode("{"));
      controller.error(new Error("reset"));
    },
  });
  return new Response(body, { headers: { "content-length": "1000" } });
}
