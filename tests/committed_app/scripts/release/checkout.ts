/** What git knows of the working tree: which commit it is, whose repository, and where a commit stands. */
import { execFileSync } from "node:child_process";
import { type Config, type Variables, appRoot } from "./config.ts";

/** owner/name on GitHub, or undefined before the app has a repository there. */
export function repositoryOf(config: Config, env: Variables) {
  const remote = git("remote", "get-url", "origin")?.match(
    /[/:]([^/:]+\/[^/]+?)(?:\.git)?\/?$/,
  );
  return env.GITHUB_REPOSITORY || config.repository || remote?.[1];
}

/** An app that is in no repository yet; any later owner of that name may claim its Worker. */
export const UNPUBLISHED = "unpublished";

/**
 * Which app a Worker belongs to, as owner/repo:folder. Every Worker carries it as the binding APP_ID, so that a deploy
 * notices when a Worker of the same name is somebody else's.
 */
export function appId(config: Config, env: Variables): string {
  const repository =
    config.repository ?? repositoryOf(config, env) ?? UNPUBLISHED;
  const folder = git("rev-parse", "--show-prefix")?.replace(/\/$/, "");
  return `${repository.toLowerCase()}:${folder || "."}`;
}

/** The release that the working tree is: the commit, with -dirty when files differ from it. */
export function currentVersion(env: Variables): string {
  if (env.APP_VERSION) return env.APP_VERSION;
  const commit = git("rev-parse", "HEAD");
  if (commit === undefined) return "unversioned";
  return git("status", "--porcelain", "--", ".") ? `${commit}-dirty` : commit;
}

/** Whether a commit is an ancestor of another one, as far as this clone knows. */
export const isAncestor = (commit: string, of: string): boolean =>
  git("merge-base", "--is-ancestor", commit, of) !== undefined;

/** What git prints in the app's folder, or undefined where it fails (no git, no repository, no commit). */
export function git(...args: string[]): string | undefined {
  return printed("git", ...args);
}

/** What a program prints in the app's folder, or undefined where it is missing or fails. */
export function printed(program: string, ...args: string[]) {
  try {
    return execFileSync(program, args, {
      cwd: appRoot,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return undefined;
  }
}
