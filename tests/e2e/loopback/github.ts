/** GitHub on this machine: one repository with its runs, environments and deployment records. */
import { execFileSync } from "node:child_process";
import { NEVER } from "./faults.ts";
import { Judge } from "./openapi.ts";
import { Settings } from "./settings.ts";

interface Job {
  name: string;
  conclusion: string | null;
}

/** A run of a workflow. */
export interface Run {
  id: number;
  /** The workflow's file. */
  workflow: string;
  event: string;
  head_branch: string;
  head_sha: string;
  head_repository: { full_name: string };
  status: string;
  jobs: Job[];
  /** The environments that it waits for. */
  waiting: string[];
  approvals: { state: string; user: { login: string } }[];
}

/** Something that goes wrong, once if nothing else is said. */
export interface Fault {
  /** What it happens to: "PUT /repos/acme/shop/environments/prod". */
  of: string;
  status: number;
  /** TOKEN stands for the header with the token. */
  message: string;
  headers?: Record<string, string>;
  /** Whether nothing was done; else GitHub does what was asked, and fails to say so. */
  unheard: boolean;
  times?: number;
  /** A page for people instead of the message. */
  html?: boolean;
  hang?: boolean;
}

interface Deployment {
  id: number;
  statuses: unknown[];
  [field: string]: unknown;
}

const REPOSITORY = "/repos/{owner}/{repo}";
const ENVIRONMENT = `${REPOSITORY}/environments/{environment_name}`;

/** The calls that are played here. */
const PATHS = [
  "/orgs/{org}/teams/{team_slug}",
  "/user",
  "/users/{username}",
  REPOSITORY,
  `${REPOSITORY}/actions/runs/{run_id}/approvals`,
  `${REPOSITORY}/actions/runs/{run_id}/cancel`,
  `${REPOSITORY}/actions/runs/{run_id}/jobs`,
  `${REPOSITORY}/actions/runs/{run_id}/pending_deployments`,
  `${REPOSITORY}/actions/variables`,
  `${REPOSITORY}/actions/variables/{name}`,
  `${REPOSITORY}/actions/workflows/{workflow_id}/runs`,
  `${REPOSITORY}/commits/{ref}`,
  `${REPOSITORY}/compare/{basehead}`,
  `${REPOSITORY}/deployments`,
  `${REPOSITORY}/deployments/{deployment_id}/statuses`,
  ENVIRONMENT,
  `${ENVIRONMENT}/deployment-branch-policies`,
  `${ENVIRONMENT}/deployment-branch-policies/{branch_policy_id}`,
  `${ENVIRONMENT}/secrets`,
  `${ENVIRONMENT}/secrets/public-key`,
  `${ENVIRONMENT}/secrets/{secret_name}`,
];

const NOT_FOUND = () =>
  Response.json({ message: "Not Found" }, { status: 404 });

export class GitHub {
  readonly runs: Run[] = [];
  readonly settings: Settings;
  readonly deployments: Deployment[] = [];
  /** Requests that GitHub would refuse: each one fails the test. */
  readonly refused: string[] = [];
  /** What goes wrong, until it has. */
  readonly faults: Fault[] = [];
  /** How many requests are answered; the next one waits for ever. */
  patience = Infinity;
  /** Requests since somebody set it to nothing. */
  requests: string[] = [];
  private judge: Promise<Judge> | undefined;
  private count = 100;

  /**
   * @param name owner/name
   * @param clone where its commits are
   */
  constructor(
    private readonly name: string,
    private readonly clone: string,
  ) {
    this.settings = new Settings(name);
  }

  /** Whether a request waits for ever. */
  get stuck(): boolean {
    return this.requests.length > this.patience;
  }

  async api(request: Request): Promise<Response> {
    this.judge ??= Judge.read(PATHS);
    const judge = await this.judge;
    const body = await request.text();
    // An Enterprise server has the same calls below a path of its own.
    const url = new URL(request.url);
    url.pathname = url.pathname.replace(/^\/api\/v3/, "");
    const { method, headers } = request;
    const findings = judge.findings(
      new Request(url.href, { method, headers }),
      body,
    );
    if (findings.length > 0) {
      this.refused.push(...findings);
      return Response.json({ message: findings.join("; ") }, { status: 422 });
    }
    this.requests.push(`${method} ${url.pathname}`);
    if (this.stuck) return new Promise<Response>(() => {});
    const fault = this.fault(`${method} ${url.pathname}`);
    if (fault?.hang) return NEVER();
    if (fault?.unheard) return this.failed(fault, request);
    const response = this.route(request, url, body);
    return fault ? this.failed(fault, request) : response;
  }

  /** What is to go wrong with this request. */
  private fault(call: string): Fault | undefined {
    const at = this.faults.findIndex(({ of }) => call.startsWith(of));
    const fault = this.faults[at];
    if (fault === undefined) return undefined;
    fault.times = (fault.times ?? 1) - 1;
    if (fault.times <= 0) this.faults.splice(at, 1);
    return fault;
  }

  private failed(fault: Fault, request: Request): Response {
    const token = request.headers.get("authorization") ?? "";
    const message = fault.message.replace("TOKEN", token);
    const { status, headers } = fault;
    if (fault.html) {
      return new Response("<!doctype html><title>Unicorn!</title>", { status });
    }
    return Response.json({ message }, { status, headers: headers ?? {} });
  }

  private route(request: Request, url: URL, body: string): Response {
    const token = (request.headers.get("authorization") ?? "").slice(7);
    const refusal = this.settings.admit(token, request.method, url.pathname);
    if (refusal !== undefined) return refusal;
    const data: unknown = body === "" ? undefined : JSON.parse(body);
    const root = `/repos/${this.name}`;
    if (!url.pathname.startsWith(root)) {
      return this.settings.people(token, url.pathname);
    }
    const parts = url.pathname.slice(root.length + 1).split("/");
    if (parts[0] === "") return this.settings.repository(token);
    return this.inRepository(request.method, parts, url.searchParams, data);
  }

  private inRepository(
    method: string,
    parts: readonly string[],
    query: URLSearchParams,
    data: unknown,
  ): Response {
    const [area, name, part, id] = parts;
    switch (area) {
      case "commits":
        return this.commit(decodeURIComponent(name ?? ""));
      case "compare":
        return this.compare(name ?? "");
      case "deployments":
        if (method === "GET") return this.records(query);
        return this.record(name, data as Record<string, unknown>);
      case "environments":
        return this.settings.environment(method, [name, part, id], data);
      case "actions":
        if (name === "variables") {
          return this.settings.variable(method, part, data);
        }
        if (name === "workflows") return this.list(part ?? "", query);
        return this.run(Number(part), id);
      default:
        return NOT_FOUND();
    }
  }

  private commit(ref: string): Response {
    const sha = this.git("rev-parse", "--verify", `${ref}^{commit}`);
    return sha === undefined ? NOT_FOUND() : Response.json({ sha });
  }

  private compare(basehead: string): Response {
    const [base, head] = basehead
      .split("...")
      .map((ref) => this.git("rev-parse", "--verify", `${ref}^{commit}`));
    if (base === undefined || head === undefined) return NOT_FOUND();
    const common = this.git("merge-base", base, head);
    const status =
      base === head
        ? "identical"
        : common === base
          ? "ahead"
          : common === head
            ? "behind"
            : "diverged";
    const log = this.git(
      "log",
      "--reverse",
      "--format=%H %s",
      `${base}..${head}`,
    );
    const commits = (log ?? "")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => ({
        sha: line.slice(0, 40),
        commit: { message: line.slice(41) },
      }));
    return Response.json({ status, commits });
  }

  private record(
    id: string | undefined,
    data: Record<string, unknown>,
  ): Response {
    if (id === undefined) {
      const deployment: Deployment = {
        ...data,
        id: ++this.count,
        statuses: [],
      };
      this.deployments.push(deployment);
      return Response.json({ id: deployment.id }, { status: 201 });
    }
    const found = this.deployments.find((d) => d.id === Number(id));
    if (found === undefined) return NOT_FOUND();
    found.statuses.push(data);
    return Response.json({ id: ++this.count }, { status: 201 });
  }

  private records(query: URLSearchParams): Response {
    const environment = query.get("environment");
    const found = this.deployments.filter((d) => d.environment === environment);
    return Response.json(found.map(({ id, ref }) => ({ id, sha: ref })));
  }

  private list(workflow: string, query: URLSearchParams): Response {
    const meets = (field: "branch" | "head_sha" | "status", is: string) =>
      (query.get(field) ?? is) === is;
    const found = this.runs.filter(
      (run) =>
        run.workflow === workflow &&
        meets("branch", run.head_branch) &&
        meets("head_sha", run.head_sha) &&
        meets("status", run.status),
    );
    return Response.json({ workflow_runs: found.toReversed() });
  }

  private run(id: number, part: string | undefined): Response {
    const found = this.runs.find((run) => run.id === id);
    if (found === undefined) return NOT_FOUND();
    switch (part) {
      case "jobs":
        return Response.json({ jobs: found.jobs });
      case "approvals":
        return Response.json(found.approvals);
      case "pending_deployments":
        return Response.json(
          found.waiting.map((name) => ({ environment: { name } })),
        );
      case "cancel":
        found.status = "cancelled";
        return Response.json({}, { status: 202 });
      default:
        return NOT_FOUND();
    }
  }

  private git(...args: string[]): string | undefined {
    try {
      return execFileSync("git", ["-C", this.clone, ...args], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }).trim();
    } catch {
      return undefined;
    }
  }
}
