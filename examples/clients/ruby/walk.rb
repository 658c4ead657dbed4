# One walk through the API: ruby -I lib walk.rb [ADDRESS] [FOLDER OF THE PROTOS]
require 'digest'
require 'advisor/v1/decision_service_services_pb'
require 'advisor/v1/execution_service_services_pb'
require 'advisor/v1/use_case_service_services_pb'
require 'google/protobuf/well_known_types'
require 'google/rpc/error_details_pb'

include Advisor::V1

def about(**facts)
  RecommendRequest.new(inline_use_case: UseCase.new(facts: Facts.new(**facts)))
end

# Without a deadline a call waits as long as the server does.
def within(seconds)
  { deadline: Time.now + seconds }
end

# Every error carries google.rpc details: one ErrorInfo, and for bad input a BadRequest.
def show_error(error)
  error.to_rpc_status.details.each do |detail|
    if detail.is(Google::Rpc::ErrorInfo)
      puts "#{error.class.name.split('::').last} #{detail.unpack(Google::Rpc::ErrorInfo).reason}"
    elsif detail.is(Google::Rpc::BadRequest)
      detail.unpack(Google::Rpc::BadRequest).field_violations.each { |each| puts "  #{each.field}: #{each.description}" }
    end
  end
end

# An import is a header, the content, then the commit, without which nothing is kept.
def messages(use_case, examples)
  digest = Digest::SHA256.new
  examples.each { |each| digest << "#{each.question}\0#{each.answer}\0#{each.context}\0" }
  [
    ImportExamplesRequest.new(header: ImportHeader.new(use_case: use_case)),
    ImportExamplesRequest.new(batch: ExampleBatch.new(examples: examples)),
    ImportExamplesRequest.new(commit: ImportCommit.new(count: examples.size, sha256: digest.hexdigest))
  ]
end

address = ARGV.fetch(0, 'localhost:50051')
protos = ARGV.fetch(1, 'protos')
# Calls that fail with UNAVAILABLE are sent again, by the policy in the bundle.
policy = { 'grpc.service_config' => File.read("#{protos}/service_config.json") }
decisions, use_cases, execution = [DecisionService, UseCaseService, ExecutionService].map do |service|
  service::Stub.new(address, :this_channel_is_insecure, channel_args: policy)
end

known = about(update_interval: Google::Protobuf::Duration.new(seconds: 7 * 86_400), needs_citations: true)
puts decisions.recommend(known, **within(10)).recommendation.summary
begin
  decisions.recommend(about(retrieval_hit_rate: 80), **within(10))
rescue GRPC::BadStatus => e
  show_error(e)
end

request = CreateUseCaseRequest.new(use_case: UseCase.new(description: 'Answer in one word.'))
name = use_cases.create_use_case(request, **within(10)).name
examples = [
  Example.new(question: 'The capital of France?', answer: 'Paris'),
  Example.new(question: 'The capital of Italy?', answer: 'Rome')
]
response = use_cases.import_examples(messages(name, examples), **within(60))
puts "imported #{response.imported} examples into #{name}"

question = AnswerRequest.new(use_case: name, question: 'The capital of Spain?', approach: :APPROACH_PROMPTING)
execution.answer(question, **within(120)).each do |event|
  print event.token.text if event.token
  puts "\n#{event.summary.output_tokens} tokens" if event.summary
end
use_cases.delete_use_case(DeleteUseCaseRequest.new(name: name), **within(10))
