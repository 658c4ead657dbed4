'use strict';

const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const protos = join(__dirname, 'protos');
const files = [
  'advisor/v1/decision_service.proto',
  'advisor/v1/execution_service.proto',
  'advisor/v1/learning_service.proto',
  'advisor/v1/trial_service.proto',
  'advisor/v1/use_case_service.proto',
  'google/longrunning/operations.proto',
  'google/rpc/error_details.proto',
];
// The types in types/ were made with the same options; see the script in package.json.
const options = { includeDirs: [protos], keepCase: true, longs: Number, enums: String, oneofs: true, json: true };
const { advisor, google } = grpc.loadPackageDefinition(loader.loadSync(files, options));
const policy = readFileSync(join(protos, 'service_config.json'), 'utf8');

function connect(address = 'localhost:50051', { credentials, ...channelOptions } = {}) {
  const given = [credentials ?? grpc.credentials.createInsecure(), { 'grpc.service_config': policy, ...channelOptions }];
  const services = {
    decisions: new advisor.v1.DecisionService(address, ...given),
    useCases: new advisor.v1.UseCaseService(address, ...given),
    execution: new advisor.v1.ExecutionService(address, ...given),
    trials: new advisor.v1.TrialService(address, ...given),
    learning: new advisor.v1.LearningService(address, ...given),
    operations: new google.longrunning.Operations(address, ...given),
  };
  const close = () => Object.values(services).forEach((service) => service.close());
  return { ...services, close };
}

function errorDetails(error) {
  const [bytes] = error?.metadata?.get('grpc-status-details-bin') ?? [];
  const details = bytes ? google.rpc.Status.deserialize(bytes).details ?? [] : [];
  return Object.fromEntries(details.map((each) => [each['@type'].split('.').pop(), each]));
}

module.exports = { connect, errorDetails, protos };
