// A service as a protobuf compiler describes it, of a message that the library knows.
import {create, createFileRegistry} from "@bufbuild/protobuf";
import {FileDescriptorProtoSchema, StringValueSchema, file_google_protobuf_wrappers} from "@bufbuild/protobuf/wkt";

const NO_SIDE_EFFECTS = 1;
const text = {inputType: ".google.protobuf.StringValue", outputType: ".google.protobuf.StringValue"};
const file = create(FileDescriptorProtoSchema, {
    name: "greeter.proto",
    package: "test",
    syntax: "proto3",
    dependency: ["google/protobuf/wrappers.proto"],
    service: [{
        name: "Greeter",
        method: [
            {name: "Say", ...text},
            {name: "Look", ...text, options: {idempotencyLevel: NO_SIDE_EFFECTS}},
            {name: "Fail", ...text},
            {name: "Count", ...text, serverStreaming: true},
        ],
    }],
});

export const Greeter = createFileRegistry(file, () => file_google_protobuf_wrappers.proto).getService("test.Greeter");
export {StringValueSchema as Text};
