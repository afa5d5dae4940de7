/** Sending one file by tus 1.0: in pieces, taken up again where the platform says it is. */

import { DetailedError, type HttpRequest, type HttpResponse, Upload } from "tus-js-client";
import { problemFrom, type Problem, offline } from "../api/problem";
import { currentSession, restore } from "../session/session";
import { fingerprint, type Purpose } from "./rules";

export type Endpoint = "/api/v1/music/uploads/" | "/api/v1/announcements/uploads/";

/** Where files for a purpose are sent. */
export const ENDPOINT: Record<Purpose, Endpoint> = {
  track: "/api/v1/music/uploads/",
  announcement: "/api/v1/announcements/uploads/",
  recording: "/api/v1/announcements/uploads/",
};

/** Whether files for a purpose are sent there. */
export function goesTo(purpose: Purpose, endpoint: string): boolean {
  return ENDPOINT[purpose] === endpoint;
}

/** Small enough that a cut line costs little and no proxy refuses it. */
const PIECE = 8 * 1024 * 1024;
/** After the last one somebody has to say so, or the network has to come back. */
const PATIENCE = [500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000];
/** Refusals that another try may overcome: an old offset, a lock, too fast, a broken piece. */
const PASSING = new Set([409, 423, 429, 460]);
/** Conflicts that stay until somebody has done something. */
const LASTING = new Set(["quota_exceeded", "too_many_uploads"]);

/** What happens to a file on its way. */
export interface Told {
  readonly onKnown: (id: string) => void;
  readonly onProgress: (sent: number) => void;
  /** A try failed and another one follows by itself. */
  readonly onStumble: () => void;
  readonly onSent: () => void;
  readonly onRefused: (problem: Problem) => void;
}

interface Order {
  readonly file: File;
  readonly purpose: Purpose;
  readonly folder: string;
  /** More for the platform to know, such as a title. */
  readonly more?: Readonly<Record<string, string>>;
}

/** Prepares one file; it moves from `start()` on. */
export function prepare({ file, purpose, folder, more = {} }: Order, told: Told): Upload {
  const client = currentSession()?.client?.id ?? "";
  const upload = new Upload(file, {
    endpoint: ENDPOINT[purpose],
    chunkSize: PIECE,
    retryDelays: PATIENCE,
    metadata: {
      filename: file.name,
      filetype: file.type,
      purpose,
      ...(folder && { folder_id: folder }),
      ...more,
    },
    fingerprint: () => Promise.resolve(fingerprint(client, purpose, folder, file)),
    removeFingerprintOnSuccess: true,
    onBeforeRequest: prove,
    onAfterResponse: hear,
    onShouldRetry: (error) => {
      const again = mayPass(error);
      if (again) told.onStumble();
      return again;
    },
    onUploadUrlAvailable: () => told.onKnown(idOf(upload.url)),
    onProgress: (sent) => told.onProgress(sent),
    onSuccess: () => told.onSent(),
    onError: (error) => told.onRefused(refusal(error)),
  });
  return upload;
}

/** Begins, where an earlier try of the same file ended if there was one. */
export async function begin(upload: Upload): Promise<void> {
  if (!upload.url) {
    const [earlier] = await upload.findPreviousUploads();
    if (earlier) upload.resumeFromPreviousUpload(earlier);
  }
  upload.start();
}

/** The same proof as every other change: see `api/client.ts`. */
function prove(request: HttpRequest): void {
  const session = currentSession();
  if (!session) return;
  if (session.client) request.setHeader("X-Client", session.client.id);
  if (request.getMethod() !== "HEAD") request.setHeader("X-CSRFToken", session.csrf);
}

function hear(_: HttpRequest, response: HttpResponse): void {
  if (response.getStatus() === 401) void restore();
}

function mayPass(error: DetailedError): boolean {
  const { status, code } = refusal(error);
  return status === 0 || status >= 500 || (PASSING.has(status) && !LASTING.has(code));
}

/** What the platform said, in its words. */
function refusal(error: Error): Problem {
  const answer = error instanceof DetailedError ? error.originalResponse : null;
  const status = answer?.getStatus() ?? 0;
  return answer && status > 0 ? problemFrom(status, answer.getBody()) : offline();
}

/** The last part of an upload's address. */
export function idOf(url: string | null): string {
  return url?.replace(/\/+$/, "").split("/").at(-1) ?? "";
}
