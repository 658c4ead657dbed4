import advisor.v1.*;
import com.google.gson.Gson;
import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;

/** One walk through the API: java Walk [ADDRESS] [FOLDER OF THE PROTOS]. */
public final class Walk {
  public static void main(String[] given) throws Exception {
    String address = given.length > 0 ? given[0] : "localhost:50051";
    Path protos = Path.of(given.length > 1 ? given[1] : "protos");
    // Calls that fail with UNAVAILABLE are sent again, by the policy in the bundle.
    Map<String, ?> policy = new Gson().fromJson(Files.readString(protos.resolve("service_config.json")), Map.class);
    ManagedChannel channel =
        ManagedChannelBuilder.forTarget(address).usePlaintext().defaultServiceConfig(policy).enableRetry().build();
    try {
      walk(channel);
    } finally {
      channel.shutdown().awaitTermination(5, SECONDS);
    }
  }

  private static void walk(ManagedChannel channel) throws Exception {
    var decisions = DecisionServiceGrpc.newBlockingStub(channel);
    var useCases = UseCaseServiceGrpc.newBlockingStub(channel);

    Facts known = Facts.newBuilder()
        .setUpdateInterval(Duration.newBuilder().setSeconds(7 * 86400)).setNeedsCitations(true).build();
    // Without a deadline a call waits as long as the server does.
    var response = decisions.withDeadlineAfter(10, SECONDS).recommend(about(known));
    System.out.println(response.getRecommendation().getSummary());
    try {
      Facts wrong = Facts.newBuilder().setRetrievalHitRate(80).build();
      decisions.withDeadlineAfter(10, SECONDS).recommend(about(wrong));
    } catch (StatusRuntimeException error) {
      showError(error);
    }

    var request = CreateUseCaseRequest.newBuilder()
        .setUseCase(UseCase.newBuilder().setDescription("Answer in one word.")).build();
    String name = useCases.withDeadlineAfter(10, SECONDS).createUseCase(request).getName();
    List<Example> examples = List.of(
        Example.newBuilder().setQuestion("The capital of France?").setAnswer("Paris").build(),
        Example.newBuilder().setQuestion("The capital of Italy?").setAnswer("Rome").build());
    long imported = importExamples(UseCaseServiceGrpc.newStub(channel), name, examples).getImported();
    System.out.println("imported " + imported + " examples into " + name);

    var question = AnswerRequest.newBuilder().setUseCase(name)
        .setQuestion("The capital of Spain?").setApproach(Approach.APPROACH_PROMPTING).build();
    var answer = ExecutionServiceGrpc.newBlockingStub(channel).withDeadlineAfter(120, SECONDS).answer(question);
    while (answer.hasNext()) {
      AnswerResponse event = answer.next();
      System.out.print(event.getToken().getText());
      if (event.hasSummary()) {
        System.out.println("\n" + event.getSummary().getOutputTokens() + " tokens");
      }
    }
    useCases.withDeadlineAfter(10, SECONDS).deleteUseCase(DeleteUseCaseRequest.newBuilder().setName(name).build());
  }

  private static RecommendRequest about(Facts facts) {
    return RecommendRequest.newBuilder().setInlineUseCase(UseCase.newBuilder().setFacts(facts)).build();
  }

  /** Every error carries google.rpc details: one ErrorInfo, and for bad input a BadRequest. */
  private static void showError(StatusRuntimeException error) throws Exception {
    for (Any detail : StatusProto.fromThrowable(error).getDetailsList()) {
      if (detail.is(ErrorInfo.class)) {
        System.out.println(error.getStatus().getCode() + " " + detail.unpack(ErrorInfo.class).getReason());
      } else if (detail.is(BadRequest.class)) {
        for (var each : detail.unpack(BadRequest.class).getFieldViolationsList()) {
          System.out.println("  " + each.getField() + ": " + each.getDescription());
        }
      }
    }
  }

  /** An import is a header, the content, then the commit, without which nothing is kept. */
  private static ImportExamplesResponse importExamples(
      UseCaseServiceGrpc.UseCaseServiceStub stub, String useCase, List<Example> examples) throws Exception {
    var digest = MessageDigest.getInstance("SHA-256");
    for (Example each : examples) {
      digest.update((each.getQuestion() + "\0" + each.getAnswer() + "\0" + each.getContext() + "\0").getBytes(UTF_8));
    }
    var result = new CompletableFuture<ImportExamplesResponse>();
    var requests = stub.withDeadlineAfter(60, SECONDS).importExamples(new StreamObserver<>() {
      @Override public void onNext(ImportExamplesResponse response) {
        result.complete(response);
      }

      @Override public void onError(Throwable error) {
        result.completeExceptionally(error);
      }

      @Override public void onCompleted() {}
    });
    var commit = ImportCommit.newBuilder()
        .setCount(examples.size()).setSha256(HexFormat.of().formatHex(digest.digest()));
    requests.onNext(ImportExamplesRequest.newBuilder().setHeader(ImportHeader.newBuilder().setUseCase(useCase)).build());
    requests.onNext(
        ImportExamplesRequest.newBuilder().setBatch(ExampleBatch.newBuilder().addAllExamples(examples)).build());
    requests.onNext(ImportExamplesRequest.newBuilder().setCommit(commit).build());
    requests.onCompleted();
    return result.get();
  }
}
