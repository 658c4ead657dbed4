// One walk through the API: node client.js [ADDRESS] [FOLDER OF THE PROTOS]
const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { promisify } = require('node:util');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const [address = 'localhost:50051', protos = 'protos'] = process.argv.slice(2);
const files = ['advisor/v1/decision_service.proto', 'advisor/v1/use_case_service.proto',
  'advisor/v1/execution_service.proto', 'google/rpc/error_details.proto'];
const options = { includeDirs: [protos], keepCase: true, longs: Number, enums: String, oneofs: true, json: true };
const { advisor, google } = grpc.loadPackageDefinition(loader.loadSync(files, options));

// Calls that fail with UNAVAILABLE are sent again, by the policy in the bundle.
const policy = { 'grpc.service_config': readFileSync(`${protos}/service_config.json`, 'utf8') };
const connect = (Service) => new Service(address, grpc.credentials.createInsecure(), policy);
const decisions = connect(advisor.v1.DecisionService);
const useCases = connect(advisor.v1.UseCaseService);
const execution = connect(advisor.v1.ExecutionService);

// Without a deadline a call waits as long as the server does.
const within = (seconds) => ({ deadline: Date.now() + seconds * 1000 });
const call = (client, method, request) => promisify(client[method].bind(client))(request, within(10));

// The messages of an import: a header, the content, then the commit, without which nothing is kept.
function* messages(useCase, examples) {
  const digest = createHash('sha256');
  for (const each of examples) digest.update(`${each.question}\0${each.answer}\0${each.context ?? ''}\0`);
  yield { header: { use_case: useCase } };
  yield { batch: { examples } };
  yield { commit: { count: examples.length, sha256: digest.digest('hex') } };
}

function importExamples(useCase, examples) {
  return new Promise((resolve, reject) => {
    const stream = useCases.ImportExamples(within(60), (error, response) => error ? reject(error) : resolve(response));
    for (const message of messages(useCase, examples)) stream.write(message);
    stream.end();
  });
}

// Every error carries google.rpc details: one ErrorInfo, and for bad input a BadRequest.
function details(error) {
  const [bytes] = error.metadata?.get('grpc-status-details-bin') ?? [];
  const found = bytes ? google.rpc.Status.deserialize(bytes).details : [];
  return Object.fromEntries(found.map((each) => [each['@type'].split('.').pop(), each]));
}

async function main() {
  const facts = { update_interval: { seconds: 7 * 86400 }, needs_citations: true };
  const { recommendation } = await call(decisions, 'Recommend', { inline_use_case: { facts } });
  console.log(`${recommendation.approach}: ${recommendation.summary}`);

  try {
    await call(decisions, 'Recommend', { inline_use_case: { facts: { retrieval_hit_rate: 80 } } });
  } catch (error) {
    const { ErrorInfo, BadRequest } = details(error);
    console.log(`${grpc.status[error.code]} ${ErrorInfo.reason}`);
    for (const each of BadRequest.field_violations) console.log(`  ${each.field}: ${each.description}`);
  }

  const { name } = await call(useCases, 'CreateUseCase', { use_case: { description: 'Answer in one word.' } });
  const examples = [{ question: 'The capital of France?', answer: 'Paris' },
    { question: 'The capital of Italy?', answer: 'Rome' }];
  console.log(`imported ${(await importExamples(name, examples)).imported} examples into ${name}`);

  const question = 'The capital of Spain?';
  const answer = execution.Answer({ use_case: name, question, approach: 'APPROACH_PROMPTING' }, within(120));
  for await (const { event, token, summary } of answer) {
    if (event === 'token') process.stdout.write(token.text);
    if (event === 'summary') console.log(`\n${summary.finish_reason}, ${summary.output_tokens} tokens`);
  }
  await call(useCases, 'DeleteUseCase', { name });
}

main().catch((error) => { console.error(error); process.exitCode = 1; });
