/** GitHub held against alchemy.config.ts: what is there, what should be, and the changes that would make it right. */
import { surveyRules } from "./approval.ts";
import {
  type Config,
  githubEnvironment,
  isPromoted,
  promotionVariable,
  refusal,
  secretsOf,
} from "./config.ts";
import { type GitHub } from "./github.ts";
import { ApiError, unlessMissing } from "./http.ts";
import { seal } from "./values.ts";
import { type Change, HIDDEN, type Survey, View, type Wish } from "./view.ts";

/**
 * Compares GitHub with what alchemy.config.ts and the command line ask for. The changes come in an order in which no
 * environment is open for a moment: the rules of all, then the secrets, and finally what makes a push deploy.
 *
 * @throws UsageError for a reviewer that GitHub does not know, Refusal where the repository cannot be seen
 */
export async function survey(
  github: GitHub,
  config: Config,
  wish: Wish,
): Promise<Survey> {
  const repository = await github
    .get<{ private: boolean; permissions?: { admin: boolean } }>("")
    .catch((error: unknown) => {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
      throw refusal`GitHub shows this token no repository ${github.repository}${error.lacks}.`;
    });
  const view = new View(github, config, wish, repository.private);
  if (repository.permissions?.admin === false) {
    view.mayNot(" (its owner does not administer the repository)");
  }
  const rules: Change[] = [];
  const secrets: Change[] = [];
  for (const name of Object.keys(config.profiles)) {
    const found = await surveyRules(view, name);
    if (isPromoted(config, name)) rules.unshift(...found.changes);
    else rules.push(...found.changes);
    secrets.push(...(await surveySecrets(view, name, found.exists)));
  }
  const approval = await surveyVariable(
    view,
    "PROD_APPROVAL",
    wish.noApproval ? "none" : undefined,
  );
  // Last: with it on, the next push deploys.
  const promotion = await surveyVariable(view, promotionVariable(config), "on");
  surveyAccounts(view);
  const { settings, obstacles } = view;
  return {
    settings,
    changes: [...rules, ...secrets, ...approval, ...promotion],
    obstacle: obstacles[0],
  };
}

async function surveySecrets(view: View, profile: string, exists: boolean) {
  const { github, config, wish } = view;
  const environment = githubEnvironment(config, profile);
  const path = `${view.pathOf(environment)}/secrets`;
  const answer = exists
    ? await view.look<{ secrets: { name: string }[] }>(`${path}?per_page=100`)
    : { secrets: [] };
  // An environment that exists has a list of secrets: GitHub hides it with a 404 as well.
  const listed = answer ?? view.mayNot("");
  let key: Promise<{ key: string; key_id: string }> | undefined;
  const changes: Change[] = [];
  for (const name of secretsOf(config.profiles[profile] ?? {})) {
    // GitHub tells their names in capitals.
    const isSet = (secret: { name: string }) =>
      secret.name === name.toUpperCase();
    const known = wish.renew.includes(name) ? "an older one" : "set";
    const now =
      listed === HIDDEN ? HIDDEN : listed.secrets.some(isSet) ? known : null;
    if (!view.tell(environment, `secret ${name}`, now, "set")) continue;
    changes.push({
      title: `${environment}: secret ${name}`,
      needs: { profile, name },
      fix: async (value) => {
        key ??= github.get(`${path}/public-key`);
        await github.call(
          "PUT",
          `${path}/${name}`,
          await seal(await key, value),
        );
      },
    });
  }
  return changes;
}

/** A variable of the repository, or with undefined the wish that there be none. */
async function surveyVariable(
  view: View,
  name: string,
  wanted: string | undefined,
): Promise<Change[]> {
  const { github } = view;
  const path = "actions/variables";
  const read = () => view.look<{ value: string }>(`${path}/${name}`);
  const found = await read();
  // Nobody wants it, and nobody may look: nothing to say.
  if (wanted === undefined && (found === HIDDEN || !found)) return [];
  const now = found === HIDDEN ? HIDDEN : (found?.value ?? null);
  if (!view.tell(undefined, `variable ${name}`, now, wanted ?? null)) return [];
  if (wanted === undefined) {
    const fix = () =>
      github.call("DELETE", `${path}/${name}`).catch(unlessMissing);
    return [{ title: `no variable ${name}`, fix }];
  }
  // A POST without an answer may have been heard: look again.
  const fix = () =>
    github.patiently(async () => {
      const body = { name, value: wanted };
      if ((await read()) === undefined) await github.call("POST", path, body);
      else await github.call("PATCH", `${path}/${name}`, body);
    });
  return [{ title: `variable ${name}=${wanted}`, fix }];
}

/** The approval protects prod only when staging's token cannot deploy it. */
function surveyAccounts(view: View): void {
  const { config, wish } = view;
  const owners = new Map<string, string>();
  for (const [name, { account }] of Object.entries(config.profiles)) {
    const owner = account && owners.get(account);
    if (account === undefined) {
      view.remark(
        "problem",
        `alchemy.config.ts names no Cloudflare \`account\` for ${name}: the workflows cannot deploy it`,
      );
    } else if (owner === undefined) {
      owners.set(account, name);
    } else if (!wish.sharedAccount) {
      view.remark(
        "note",
        `${owner} and ${name} share a Cloudflare account: whoever gets at the token of ${owner} can deploy ${name} without approval, unless it is limited to its own Workers (docs/PROMOTION.md, “What protects what”; --shared-account: that is done)`,
      );
    }
  }
}
