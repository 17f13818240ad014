// One submission by @formspree/core, told by the JSON in the first argument:
//   endpoint, form  as a site's owner would write them
//   answers         [name, value] pairs; a repeated name has several values
//   as              "FormData" or "object", the two things that the client takes
//   origin          what a browser would send as Origin; null: as Node sends it, without
// Prints the outcome as JSON, read by the client's own methods.
import { createClient, isSubmissionError } from '@formspree/core';

const { endpoint, form, answers, as, origin } = JSON.parse(process.argv[2]);

const fetched = globalThis.fetch;
globalThis.fetch = (address, { headers, ...rest }) =>
  fetched(address, { ...rest, headers: origin ? { ...headers, Origin: origin } : headers });

function data() {
  const filled = new FormData();
  for (const [name, value] of answers) filled.append(name, value);
  return as === 'FormData' ? filled : Object.fromEntries(answers);
}

const result = await createClient().submitForm(form, data(), { endpoint });
const outcome = isSubmissionError(result)
  ? { kind: result.kind, form: result.getFormErrors(), fields: result.getAllFieldErrors() }
  : { kind: result.kind, next: result.next };
process.stdout.write(JSON.stringify(outcome));
