/** Whether this app's configuration and its workflows agree. What releases it was tested with the template. */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import written from "../../alchemy.config.ts";
import {
  type Config,
  appRoot,
  environmentNamed,
  firstProfile,
  secretsOf,
  workflowFile,
} from "./config.ts";
import { validateConfig } from "./validate.ts";

const config = written as Config;

test("alchemy.config.ts is valid", () => {
  expect<unknown>(validateConfig(config)).toBe(written);
});

test("the workflows offer environments that exist, and hand over their secrets", async () => {
  const promote = await workflow("promote");
  const rollback = await workflow("rollback");
  // A push goes to the default.
  expect(promote.environment.default).toBe(firstProfile(config));
  for (const name of promote.environment.options) {
    expect(rollback.environment.options).toContain(name);
    const { profile } = environmentNamed(config, name);
    for (const secret of secretsOf(profile)) {
      const line = new RegExp(`${secret}: .* secrets\\.${secret} `);
      expect(promote.text).toMatch(line);
    }
  }
});

/** A workflow of this app; GitHub reads them at the root of the repository alone. */
async function workflow(name: string) {
  const path = `.github/workflows/${workflowFile(config, name)}`;
  let folder = appRoot;
  while (!existsSync(join(folder, path)) && folder !== dirname(folder)) {
    folder = dirname(folder);
  }
  const text = await Bun.file(join(folder, path)).text();
  const { on } = Bun.YAML.parse(text) as Workflow;
  return { text, environment: on.workflow_dispatch.inputs.environment };
}

interface Workflow {
  on: {
    workflow_dispatch: {
      inputs: { environment: { default: string; options: string[] } };
    };
  };
}
