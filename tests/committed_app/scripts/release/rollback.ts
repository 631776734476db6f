/** The way back: one switch at Cloudflare, without a build, before anything else is done. */
import { isAncestor } from "./checkout.ts";
import {
  type Release,
  isSecretChange,
  isSplit,
  majority,
} from "./cloudflare.ts";
import { Refusal, refusal } from "./config.ts";
import {
  findRelease,
  history,
  isCut,
  ledger,
  proposals,
  releaseStack,
  rollbackCommand,
} from "./ledger.ts";
import { openRecord } from "./record.ts";
import { type Target, actor } from "./target.ts";
import { messageOf, shortCommit, table } from "./tell.ts";
import { mustPass } from "./verify.ts";

export interface RollbackOptions {
  dryRun: boolean;
  force: boolean;
  verify: boolean;
}

/** Switches to an earlier release: one call, no build, no change to data. */
export async function rollback(
  target: Target,
  wanted: string,
  { dryRun, force, verify }: RollbackOptions,
): Promise<void> {
  const { worker, tell, env } = target;
  const { name } = target.environment;
  const [current] = await worker.deployments();
  const stack = releaseStack(await history(worker));
  const live = stack.at(-1);
  if (current === undefined || live === undefined)
    throw refusal`${worker.name} was never deployed.`;
  const goal = await findRelease(worker, name, stack, wanted);
  const from = shortCommit(live.commit);
  const to = shortCommit(goal.commit);
  tell(
    `${worker.name}: ${from} (version ${live.versionId}) → ${to} (version ${goal.versionId})`,
  );
  if (goal.versionId === live.versionId && !isSplit(current)) {
    return tell("It is live already: nothing to do.");
  }
  const secrets = await secretsBetween(target, live, goal);
  if (secrets !== undefined) tell(secrets);
  if (dryRun) return tell("Nothing was changed (--dry-run).");
  await worker
    .switchTo(goal, `rollback to ${to} by ${actor(env)}`, force)
    .catch((error: unknown) => unswitched(target, live, goal, error));
  tell(`### ${name}: \`${from}\` → \`${to}\` (rollback)`);
  const closeRecord = openRecord(target, "rollback", goal.commit);
  if (verify) {
    await mustPass(target, goal, "rollback").catch(async (error: unknown) => {
      await closeRecord("failure", messageOf(error));
      throw refusal`${name} was switched to ${to}, but does not pass: ${messageOf(error)} ${rollbackCommand(name, live.versionId)} --force returns to the release that you left.`;
    });
  }
  await closeRecord("success", `rolled back to ${to}`);
  if (!isAncestor(live.commit, goal.commit)) {
    tell(
      `\`${from}\` is still on main: revert it there before the next promotion.`,
    );
  }
}

/** Says what is live after a switch that Cloudflare did not confirm, and how to go on. */
async function unswitched(
  { worker, environment: { name } }: Target,
  live: Release,
  goal: Release,
  error: unknown,
): Promise<void> {
  const command = rollbackCommand(name, goal.versionId);
  if (isSecretChange(error))
    throw refusal`Cloudflare refuses: a secret changed since that release. Its code may not know the value of today; to use it all the same: ${command} --force`;
  const [newest] = await worker.deployments().catch(() => []);
  if (newest && majority(newest) === goal.versionId && !isSplit(newest)) return;
  throw new Refusal(
    newest
      ? `${messageOf(error)}. ${name} still runs ${shortCommit(live.commit)}; to try again: ${command}`
      : `${messageOf(error)}. Whether ${name} was switched is not known; this is safe to run again: ${command}`,
  );
}

/** What going back means for secrets, as far as their names say it: values cannot be read. */
async function secretsBetween(
  { worker }: Target,
  live: Release,
  goal: Release,
): Promise<string | undefined> {
  const now = await worker.secrets(live.versionId);
  const then = await worker.secrets(goal.versionId);
  const added = now.filter((name) => !then.includes(name)).join(", ");
  const removed = then.filter((name) => !now.includes(name)).join(", ");
  const parts = [
    ...(added ? [`it does not know ${added}`] : []),
    ...(removed ? [`it still has ${removed}, which was removed since`] : []),
  ];
  return parts.length > 0
    ? `The secrets of that release are others: ${parts.join("; ")}.`
    : undefined;
}

/** Shows what can be gone back to. */
export async function list({ worker, environment }: Target): Promise<void> {
  const entries = await ledger(worker);
  if (entries.length === 0)
    return console.log(`${worker.name} was never deployed.`);
  const rows = entries.map(({ state, commit, when, who, versionId }) => [
    state,
    shortCommit(commit),
    `${when.slice(0, 16).replace("T", " ")} UTC`,
    who,
    versionId,
  ]);
  console.log(
    table([["state", "commit", "live since", "by", "version"], ...rows]),
  );
  if (!(await isCut(worker))) return;
  const kept = await proposals(worker, environment.name);
  console.log(
    `Cloudflare lists no older deployments. To go back to a version that it keeps, released or not:${kept || " there is none"}`,
  );
}
