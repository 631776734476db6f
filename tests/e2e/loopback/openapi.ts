/** GitHub's own description of its API, as a judge of requests: what GitHub would refuse is refused here. */
import { readFileSync } from "node:fs";
import { getHttpOperationsFromSpec } from "@stoplight/prism-http";
import { validateInput } from "@stoplight/prism-http/dist/validator";

type Json = { [key: string]: unknown };

interface Document {
  openapi: string;
  info: Json;
  servers: Json[];
  paths: Record<string, Record<string, Json>>;
  components: Record<string, Record<string, unknown>>;
}

type Operation = Parameters<typeof validateInput>[0]["resource"];

export class Judge {
  private constructor(private readonly operations: Operation[]) {}

  /** Reads the description, cut to what requests to these paths look like: the whole of it takes seconds. */
  static async read(paths: readonly string[]): Promise<Judge> {
    const file =
      require.resolve("@octokit/openapi/generated/api.github.com.json");
    const whole = JSON.parse(readFileSync(file, "utf8")) as Document;
    return new Judge(await getHttpOperationsFromSpec(cut(whole, paths)));
  }

  /** What is wrong with a request; empty when GitHub would take it. */
  findings(request: Request, body: string): string[] {
    const url = new URL(request.url);
    const operation = this.operations.find(
      ({ method, path }) =>
        method === request.method.toLowerCase() &&
        pattern(path).test(url.pathname),
    );
    const call = `${request.method} ${url.pathname}`;
    if (operation === undefined) return [`${call}: GitHub has no such call`];
    const verdict = validateInput({
      resource: operation,
      element: {
        method: operation.method as "get",
        url: {
          path: url.pathname,
          query: Object.fromEntries(url.searchParams),
        },
        headers: Object.fromEntries(request.headers),
        body: body === "" ? undefined : JSON.parse(body),
      },
    });
    return verdict._tag === "Right"
      ? []
      : verdict.left.map(
          ({ message, path }) => `${call}: ${path?.join(".")} ${message}`,
        );
  }
}

const pattern = (path: string) =>
  new RegExp(`^${path.replace(/\{[^}]+\}/g, "[^/]+")}$`);

/** Keeps some paths, without their responses, and the components that they speak of. */
function cut(whole: Document, paths: readonly string[]): Document {
  const { openapi, info, servers } = whole;
  const kept: Document = { openapi, info, servers, paths: {}, components: {} };
  for (const path of paths) {
    const item = whole.paths[path];
    if (item === undefined) throw new Error(`GitHub knows no path ${path}`);
    kept.paths[path] = Object.fromEntries(
      Object.entries(item).map(([method, operation]) => [
        method,
        { ...operation, responses: { default: { description: "" } } },
      ]),
    );
  }
  const follow = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === "$ref" && typeof inner === "string") keep(inner);
      else follow(inner);
    }
  };
  const keep = (reference: string): void => {
    const [, , kind, name] = reference.split("/");
    if (kind === undefined || name === undefined) return;
    const group = (kept.components[kind] ??= {});
    if (name in group) return;
    group[name] = whole.components[kind]?.[name];
    follow(group[name]);
  };
  follow(kept.paths);
  return kept;
}
