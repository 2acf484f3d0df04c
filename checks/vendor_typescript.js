// The vendor's TypeScript package against the fake server, unchanged: what version 0.32.0 covers of it.
// Run by checks.outside, with NODE_PATH where @sentdm/sentdm is installed, and the URL of the fake and its key.
"use strict";

const assert = require("node:assert/strict");
const { default: SentDm, NotFoundError, BadRequestError } = require("@sentdm/sentdm");

const [url, apiKey] = process.argv.slice(2);
const client = new SentDm({ apiKey, baseURL: url });

async function control(path, body) {
  const response = await fetch(`${url}/_fake${path}`, { method: "POST", body: JSON.stringify(body) });
  assert.ok(response.ok, await response.clone().text());
  return response.status === 204 ? undefined : response.json();
}

async function templates() {
  const definition = { body: { multiChannel: { template: "The sale begins" } } };
  const { data: template } = await client.templates.create({ definition });
  await client.templates.update(template.id, { name: "Sale" });
  assert.equal((await client.templates.retrieve(template.id)).data.name, "Sale");
  const { data } = await client.templates.list({ page: 1, page_size: 100 });
  assert.ok(data.templates.some((one) => one.id === template.id));
  await client.templates.delete(template.id, {});
  await assert.rejects(client.templates.retrieve(template.id), NotFoundError);
}

async function profiles() {
  const { data: profile } = await client.profiles.create({ name: "Sales", inherit_tcr_brand: true });
  await client.profiles.update(profile.id, { description: "Field sales" });
  assert.equal((await client.profiles.retrieve(profile.id)).data.description, "Field sales");
  const { data } = await client.profiles.list();
  assert.ok(data.profiles.some((one) => one.id === profile.id));
  await client.profiles.delete(profile.id, {});
}

async function messages() {
  const to = ["+14155550100", "+442071234567"];
  const { data: sent } = await client.messages.send({ to, channel: ["sms", "whatsapp"], text: "Hi" });
  assert.equal(sent.status, "QUEUED");
  assert.equal(sent.recipients.length, 4);
  await control("/time/advance", { seconds: 60 });
  const { data: message } = await client.messages.retrieveStatus(sent.recipients[0].message_id);
  assert.deepEqual([message.status, message.channel, message.price], ["DELIVERED", "sms", 0.0055]);
  const { data } = await client.messages.retrieveActivities(message.id);
  assert.deepEqual(data.activities.map((one) => one.status), ["DELIVERED", "SENT", "ROUTED", "QUEUED"]);
  await assert.rejects(client.messages.retrieveStatus("00000000-0000-4000-8000-000000000000"), NotFoundError);
  await assert.rejects(client.messages.send({ to: [], text: "Hi" }), BadRequestError);
}

async function contacts() {
  const { data: contact } = await client.contacts.create({ phone_number: "+61412345678" });
  await client.contacts.update(contact.id, { default_channel: "whatsapp" });
  await control("/messages/receive", { from_number: "+61412345678", text: "STOP" });
  const { data: changed } = await client.contacts.retrieve(contact.id);
  assert.deepEqual([changed.default_channel, changed.opt_out], ["whatsapp", true]);
  const { data } = await client.contacts.list({ page: 1, page_size: 100, phone: "+61412345678" });
  assert.deepEqual(data.contacts.map((one) => one.id), [contact.id]);
  await client.contacts.delete(contact.id, {});
  await assert.rejects(client.contacts.retrieve(contact.id), NotFoundError);
}

async function webhooks() {
  const display_name = "Orders";
  const endpoint_url = "http://127.0.0.1:9/hook";
  const { data: created } = await client.webhooks.create({ display_name, endpoint_url, event_types: ["message"] });
  assert.match(created.signing_secret, /^whsec_/);
  const { data: tested } = await client.webhooks.test(created.id, { event_type: "message.sent" });
  assert.equal(tested.success, false);
  const { data: log } = await client.webhooks.listEvents(created.id, { page: 1, page_size: 10 });
  assert.deepEqual(log.events.map((one) => [one.event_type, one.delivery_status]), [["message.sent", "FAILED"]]);
  const { data: rotated } = await client.webhooks.rotateSecret(created.id, {});
  assert.notEqual(rotated.signing_secret, created.signing_secret);
  const settings = { display_name: "All", endpoint_url, event_types: ["templates"] };
  assert.equal((await client.webhooks.update(created.id, settings)).data.display_name, "All");
  assert.equal((await client.webhooks.toggleStatus(created.id, { is_active: false })).data.is_active, false);
  const { data: listed } = await client.webhooks.list({ page: 1, page_size: 10 });
  assert.deepEqual(listed.webhooks.map((one) => one.id), [created.id]);
  assert.ok((await client.webhooks.listEventTypes()).data.event_types.some((one) => one.name === "message"));
  await client.webhooks.delete(created.id);
  await assert.rejects(client.webhooks.retrieve(created.id), NotFoundError);
}

async function users() {
  const { data: invited } = await client.users.invite({ email: "jo@example.com", name: "Jo", role: "developer" });
  assert.equal((await client.users.updateRole(invited.id, { role: "billing" })).data.role, "billing");
  assert.equal((await client.users.list()).data.users.length, 2);
  await client.users.remove(invited.id, {});
  await assert.rejects(client.users.retrieve(invited.id), NotFoundError);
}

async function account() {
  assert.equal((await client.me.retrieve()).data.type, "organization");
  assert.equal((await client.numbers.lookup("+14155550100")).data.is_valid, true);
  await assert.rejects(client.numbers.lookup("nobody"), BadRequestError);
}

(async () => {
  for (const resource of [templates, profiles, messages, contacts, webhooks, users, account]) {
    await resource();
    console.log(`the vendor's TypeScript package: ${resource.name}`);
  }
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
