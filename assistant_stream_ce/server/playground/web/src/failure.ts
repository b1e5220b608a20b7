import { isObject, parseJSON } from "./json";

export type Failure = { readonly title: string; readonly detail: string | undefined };

export const UNREACHABLE: Failure = {
  title: "The server could not be reached",
  detail: "Check that it is running and that you are online, then send the message again.",
};

const BROKEN_OFF: Failure = {
  title: "The connection broke off before the answer was complete",
  detail: "Reload the page to see what the server has kept.",
};

export const UNFINISHED: Failure = {
  title: "The answer was not completed",
  detail: "The server has ended its run. What it had kept is shown; try again, or go on from here.",
};

/** What the browsers say when no connection came about (Chromium, Firefox, Safari). */
const NO_CONNECTION = /failed to fetch|networkerror when attempting|load failed/i;
const CUT = /network error|error in input stream|incomplete line|terminated|abruptly/i;

const messageInBody = (body: string): string | undefined => {
  const parsed = parseJSON(body);
  if (!isObject(parsed)) return undefined;
  const error = parsed.error ?? parsed.detail;
  if (typeof error === "string") return error;
  return isObject(error) && typeof error.message === "string" ? error.message : undefined;
};

const refused = (status: number, body: string): Failure => ({
  title:
    status >= 500
      ? `The server failed to answer (${status})`
      : `The server refused the request (${status})`,
  detail: messageInBody(body),
});

/** Whether the line to the server is at fault, rather than what came over it. */
export const isConnectionLoss = (error: unknown): boolean => {
  const message = error instanceof Error ? error.message : String(error);
  return !/^Status \d{3}: /.test(message) && (NO_CONNECTION.test(message) || CUT.test(message));
};

/** Puts an error of the runtime into words for the reader. */
export const toFailure = (error: unknown): Failure => {
  const message = error instanceof Error ? error.message : String(error);
  const status = /^Status (\d{3}): ([\s\S]*)$/.exec(message);
  if (status) return refused(Number(status[1]), status[2]!);
  if (NO_CONNECTION.test(message)) return UNREACHABLE;
  if (CUT.test(message)) return BROKEN_OFF;
  return { title: "The run failed", detail: message };
};

export const failureFromResponse = async (response: Response): Promise<Error> =>
  new Error(`Status ${response.status}: ${await response.text()}`);
