// One walk through the API: go run . [ADDRESS] [FOLDER OF THE PROTOS]
package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"time"

	pb "example.com/desk/advisorv1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func about(facts *pb.Facts) *pb.RecommendRequest {
	useCase := &pb.UseCase{Facts: facts}
	return &pb.RecommendRequest{Target: &pb.RecommendRequest_InlineUseCase{InlineUseCase: useCase}}
}

// Every error carries google.rpc details: one ErrorInfo, and for bad input a BadRequest.
func showError(err error) {
	failed := status.Convert(err)
	for _, detail := range failed.Details() {
		switch found := detail.(type) {
		case *errdetails.ErrorInfo:
			fmt.Println(failed.Code(), found.Reason)
		case *errdetails.BadRequest:
			for _, each := range found.FieldViolations {
				fmt.Printf("  %s: %s\n", each.Field, each.Description)
			}
		}
	}
}

// An import is a header, the content, then the commit, without which nothing is kept.
func importExamples(
	ctx context.Context, client pb.UseCaseServiceClient, useCase string, examples []*pb.Example,
) int64 {
	digest := sha256.New()
	for _, each := range examples {
		fmt.Fprintf(digest, "%s\x00%s\x00%s\x00", each.Question, each.Answer, each.Context)
	}
	commit := &pb.ImportCommit{Count: int64(len(examples)), Sha256: fmt.Sprintf("%x", digest.Sum(nil))}
	stream, err := client.ImportExamples(ctx)
	must(err)
	for _, message := range []*pb.ImportExamplesRequest{
		{Part: &pb.ImportExamplesRequest_Header{Header: &pb.ImportHeader{UseCase: useCase}}},
		{Part: &pb.ImportExamplesRequest_Batch{Batch: &pb.ExampleBatch{Examples: examples}}},
		{Part: &pb.ImportExamplesRequest_Commit{Commit: commit}},
	} {
		if stream.Send(message) != nil {
			break // CloseAndRecv says why
		}
	}
	response, err := stream.CloseAndRecv()
	must(err)
	return response.Imported
}

func main() {
	address, protos := "localhost:50051", "protos"
	for index, given := range os.Args[1:] {
		*[]*string{&address, &protos}[index] = given
	}
	// Calls that fail with UNAVAILABLE are sent again, by the policy in the bundle.
	policy, err := os.ReadFile(filepath.Join(protos, "service_config.json"))
	must(err)
	channel, err := grpc.Dial(address, grpc.WithInsecure(), grpc.WithDefaultServiceConfig(string(policy)))
	must(err)
	defer channel.Close()
	decisions, useCases := pb.NewDecisionServiceClient(channel), pb.NewUseCaseServiceClient(channel)

	// Without a deadline a call waits as long as the server does; this one is for all calls together.
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	known := &pb.Facts{UpdateInterval: durationpb.New(7 * 24 * time.Hour), NeedsCitations: proto.Bool(true)}
	response, err := decisions.Recommend(ctx, about(known))
	must(err)
	fmt.Println(response.Recommendation.Summary)
	_, err = decisions.Recommend(ctx, about(&pb.Facts{RetrievalHitRate: proto.Float64(80)}))
	showError(err)

	useCase, err := useCases.CreateUseCase(ctx,
		&pb.CreateUseCaseRequest{UseCase: &pb.UseCase{Description: "Answer in one word."}})
	must(err)
	imported := importExamples(ctx, useCases, useCase.Name, []*pb.Example{
		{Question: "The capital of France?", Answer: "Paris"},
		{Question: "The capital of Italy?", Answer: "Rome"},
	})
	fmt.Printf("imported %d examples into %s\n", imported, useCase.Name)

	answer, err := pb.NewExecutionServiceClient(channel).Answer(ctx, &pb.AnswerRequest{
		Target:   &pb.AnswerRequest_UseCase{UseCase: useCase.Name},
		Question: "The capital of Spain?",
		Approach: pb.Approach_APPROACH_PROMPTING,
	})
	must(err)
	for event, err := answer.Recv(); err != io.EOF; event, err = answer.Recv() {
		must(err)
		fmt.Print(event.GetToken().GetText())
		if summary := event.GetSummary(); summary != nil {
			fmt.Printf("\n%d tokens\n", summary.OutputTokens)
		}
	}
	_, err = useCases.DeleteUseCase(ctx, &pb.DeleteUseCaseRequest{Name: useCase.Name})
	must(err)
}
