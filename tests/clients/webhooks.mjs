// Events read by @wix/sdk, as a server of an app reads them. The JSON in the first argument has
//   publicKey   as the app's dashboard shows it
//   tokens      bodies of webhooks
// Prints, for each token, what `process` returns and what the handlers got; or the error.
import { AppStrategy, createClient } from '@wix/sdk';

const { publicKey, tokens } = JSON.parse(process.argv[2]);

const fqdn = 'wix.contacts.v4.contact';
const event = (slug) => {
  const type = `${fqdn}_${slug}`;
  return Object.assign(() => {}, { __type: 'event-definition', type, isDomainEvent: true });
};
const modules = Object.fromEntries(
  ['created', 'updated', 'deleted', 'merged'].map((slug) => [slug, event(slug)]),
);
const client = createClient({ auth: AppStrategy({ appId: 'an-app', publicKey }), modules });

const handled = [];
for (const slug of Object.keys(modules)) {
  client[slug]((envelope) => handled.push({ slug, envelope }));
}

const outcomes = [];
for (const token of tokens) {
  handled.length = 0;
  try {
    const returned = await client.webhooks.process(token);
    outcomes.push({ returned, handled: [...handled] });
  } catch (error) {
    outcomes.push({ error: String(error) });
  }
}
process.stdout.write(JSON.stringify(outcomes));
