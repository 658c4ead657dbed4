#!/bin/sh
# Generates the package example.com/desk/advisorv1 from the bundle in protos/, for the module example.com/desk.
# The protos name no Go package, since that is a place in your own module: each file is mapped here.
set -eu
mapped=""
for path in protos/advisor/v1/*.proto; do
  mapping="M${path#protos/}=example.com/desk/advisorv1"
  mapped="$mapped --go_opt=$mapping --go-grpc_opt=$mapping"
done
# shellcheck disable=SC2086
protoc -I protos $mapped \
  --go_out=. --go_opt=module=example.com/desk \
  --go-grpc_out=. --go-grpc_opt=module=example.com/desk \
  protos/advisor/v1/*.proto
