/** Reads workflow files as GitHub does, and prints what GitHub would refuse. */
import { readFileSync } from "node:fs";
import {
  NoOperationTraceWriter,
  convertWorkflowTemplate,
  parseWorkflow,
} from "@actions/workflow-parser";

let findings = 0;
for (const name of process.argv.slice(2)) {
  const trace = new NoOperationTraceWriter();
  const { context, value } = parseWorkflow(
    { name, content: readFileSync(name, "utf8") },
    trace,
  );
  if (value !== undefined) await convertWorkflowTemplate(context, value);
  for (const error of context.errors.getErrors()) {
    console.error(`${name}: ${error.message}`);
    findings++;
  }
}
process.exit(findings === 0 ? 0 : 1);
