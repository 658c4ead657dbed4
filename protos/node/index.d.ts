import type { ChannelCredentials, ChannelOptions } from '@grpc/grpc-js';
import type { DecisionServiceClient } from './types/advisor/v1/DecisionService';
import type { ExecutionServiceClient } from './types/advisor/v1/ExecutionService';
import type { LearningServiceClient } from './types/advisor/v1/LearningService';
import type { TrialServiceClient } from './types/advisor/v1/TrialService';
import type { UseCaseServiceClient } from './types/advisor/v1/UseCaseService';
import type { OperationsClient } from './types/google/longrunning/Operations';
import type { BadRequest__Output } from './types/google/rpc/BadRequest';
import type { ErrorInfo__Output } from './types/google/rpc/ErrorInfo';
import type { RetryInfo__Output } from './types/google/rpc/RetryInfo';

/** The services of one server. Their methods are those of the protos, by the same names. */
export interface Services {
  decisions: DecisionServiceClient;
  useCases: UseCaseServiceClient;
  execution: ExecutionServiceClient;
  trials: TrialServiceClient;
  learning: LearningServiceClient;
  operations: OperationsClient;
  close(): void;
}

/** How to connect: plain text unless credentials are given. Other options go to the channel. */
export interface ConnectOptions extends ChannelOptions {
  credentials?: ChannelCredentials;
}

/** What a failed call says of itself; ErrorInfo comes with every error of the server. */
export interface ErrorDetails {
  ErrorInfo?: ErrorInfo__Output;
  BadRequest?: BadRequest__Output;
  RetryInfo?: RetryInfo__Output;
}

/** Connect to a server, `localhost:50051` by default. Calls that fail with UNAVAILABLE are sent again. */
export function connect(address?: string, options?: ConnectOptions): Services;

/** Return the details of a failed call by the names of their messages. */
export function errorDetails(error: unknown): ErrorDetails;

/** Folder of the protos, with all that they import. */
export const protos: string;
