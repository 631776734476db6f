/** GitHub on this machine: one repository with its runs, environments and deployment records. */
import { execFileSync } from "node:child_process";
import { Judge } from "./openapi.ts";

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

interface Environment {
  protection_rules: unknown[];
  deployment_branch_policy: unknown;
  policies: { id: number; name: string }[];
  secrets: string[];
}

interface EnvironmentWish {
  reviewers?: { type: string; id: number }[] | null;
  prevent_self_review?: boolean;
  deployment_branch_policy: unknown;
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

const PEOPLE: Record<string, number> = { kim: 7, robin: 8 };
const NOT_FOUND = () =>
  Response.json({ message: "Not Found" }, { status: 404 });

export class GitHub {
  readonly runs: Run[] = [];
  readonly environments: Record<string, Environment> = {};
  readonly variables: Record<string, string> = {};
  readonly deployments: Deployment[] = [];
  /** Requests that GitHub would refuse: each one fails the test. */
  readonly refused: string[] = [];
  private judge: Promise<Judge> | undefined;
  private count = 100;

  /**
   * @param name owner/name
   * @param clone where its commits are
   */
  constructor(
    private readonly name: string,
    private readonly clone: string,
  ) {}

  async api(request: Request): Promise<Response> {
    this.judge ??= Judge.read(PATHS);
    const judge = await this.judge;
    const body = await request.text();
    const findings = judge.findings(request, body);
    if (findings.length > 0) {
      this.refused.push(...findings);
      return Response.json({ message: findings.join("; ") }, { status: 422 });
    }
    const url = new URL(request.url);
    const data: unknown = body === "" ? undefined : JSON.parse(body);
    const root = `/repos/${this.name}`;
    if (!url.pathname.startsWith(root)) return this.people(url.pathname);
    const parts = url.pathname.slice(root.length + 1).split("/");
    return this.inRepository(request.method, parts, url.searchParams, data);
  }

  private people(path: string): Response {
    const login = path === "/user" ? "kim" : path.replace("/users/", "");
    const id = PEOPLE[login];
    return id === undefined ? NOT_FOUND() : Response.json({ login, id });
  }

  private inRepository(
    method: string,
    parts: readonly string[],
    query: URLSearchParams,
    data: unknown,
  ): Response {
    const [area, name, part, id] = parts;
    switch (area) {
      case "":
        return Response.json({ full_name: this.name, private: false });
      case "commits":
        return this.commit(decodeURIComponent(name ?? ""));
      case "compare":
        return this.compare(name ?? "");
      case "deployments":
        return this.record(name, data as Record<string, unknown>);
      case "environments":
        return this.environment(method, name ?? "", part, id, data);
      case "actions":
        if (name === "variables") return this.variable(method, part, data);
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

  private environment(
    method: string,
    name: string,
    part: string | undefined,
    id: string | undefined,
    data: unknown,
  ): Response {
    if (part === undefined && method === "PUT") {
      return this.put(name, (data ?? {}) as EnvironmentWish);
    }
    const found = this.environments[name];
    if (found === undefined) return NOT_FOUND();
    switch (part) {
      case undefined:
        return Response.json({ name, ...found });
      case "deployment-branch-policies":
        if (method === "POST") {
          found.policies.push({
            id: ++this.count,
            name: (data as { name: string }).name,
          });
        } else if (method === "DELETE") {
          found.policies = found.policies.filter((p) => p.id !== Number(id));
        }
        return Response.json({ branch_policies: found.policies });
      case "secrets":
        if (id === "public-key") {
          const key = Buffer.alloc(32, 9).toString("base64");
          return Response.json({ key_id: "1", key });
        }
        if (method === "PUT" && id !== undefined) found.secrets.push(id);
        return Response.json({
          secrets: found.secrets.map((secret) => ({ name: secret })),
        });
      default:
        return NOT_FOUND();
    }
  }

  private put(name: string, wish: EnvironmentWish): Response {
    const reviewers = (wish.reviewers ?? []).map(({ type, id }) => ({
      type,
      reviewer: { id },
    }));
    const { prevent_self_review = false, deployment_branch_policy } = wish;
    this.environments[name] = {
      policies: [],
      secrets: [],
      ...this.environments[name],
      protection_rules:
        reviewers.length > 0
          ? [{ type: "required_reviewers", prevent_self_review, reviewers }]
          : [],
      deployment_branch_policy,
    };
    return Response.json({ name });
  }

  private variable(
    method: string,
    part: string | undefined,
    data: unknown,
  ): Response {
    if (method === "GET") {
      const value = this.variables[part ?? ""];
      return value === undefined ? NOT_FOUND() : Response.json({ value });
    }
    const { name, value } = data as { name: string; value: string };
    this.variables[name] = value;
    return Response.json({}, { status: 201 });
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
