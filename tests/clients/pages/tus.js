// tus: upload in two chunks with an interruption, upload in parallel, upload of unknown length, and terminate.
// Then the two drafts of the IETF's resumable uploads.
import {Upload} from "tus-js-client";

const file = new Blob(["0123456789"]);
const headers = {Authorization: "Bearer secret", "X-Requested-With": "XMLHttpRequest"};

function upload(api, data, options = {}) {
    return new Promise((resolve, reject) => {
        const upload = new Upload(data, {
            endpoint: `${api}/files`,
            headers,
            addRequestId: true,
            chunkSize: 5,
            retryDelays: null,
            storeFingerprintForResuming: false,
            metadata: {filename: "tea.txt"},
            onError: reject,
            onSuccess: () => resolve(upload.url),
            ...options,
        });
        upload.start();
    });
}

function interrupted(api) {
    return new Promise((resolve, reject) => {
        const onChunkComplete = () => upload.abort().then(() => resolve(upload.url), reject);
        const upload = new Upload(file, {
            endpoint: `${api}/files`,
            headers,
            chunkSize: 5,
            retryDelays: null,
            onChunkComplete,
            onError: reject,
        });
        upload.start();
    });
}

async function content(url) {
    const response = await fetch(url);
    return response.ok ? response.text() : response.status;
}

globalThis.run = async api => {
    const resumed = await upload(api, file, {uploadUrl: await interrupted(api)});
    const parallel = await upload(api, file, {parallelUploads: 2});
    const stream = new Blob(["a stream"]).stream().getReader();
    const unknown = await upload(api, stream, {uploadLengthDeferred: true});
    const uploads = {resumed: await content(resumed), parallel: await content(parallel), unknown: await content(unknown)};
    for (const protocol of ["ietf-draft-03", "ietf-draft-05"]) {
        uploads[protocol] = await content(await upload(api, file, {protocol}));
    }
    await Upload.terminate(resumed, {headers, retryDelays: null});
    return {...uploads, terminated: await content(resumed)};
};
