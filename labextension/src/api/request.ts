import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

/** Under this path the Jupyter server extension answers. */
const NAMESPACE = 'bottega';

/** What every refusal of the server extension looks like. */
interface IRefusal {
  code: string;
  message: string;
}

/** A request that the server extension refused, or could not serve. */
export class BottegaError extends Error {
  /**
   * @param code the error code, the same as boto3 would show.
   * @param message what was wrong, where, and what to do.
   * @param status the HTTP status.
   */
  constructor(
    readonly code: string,
    message: string,
    readonly status: number
  ) {
    super(message);
    this.name = 'BottegaError';
  }
}

/** Whether an error says that the same question can be answered later. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof BottegaError && error.status === 503;
}

/**
 * Ask the server extension.
 *
 * @param path the route below the extension's namespace.
 * @param settings the settings of the application's own server connection.
 * @param init method, body and headers.
 * @returns the answer's JSON.
 * @throws BottegaError when the server extension refuses, with its code and text;
 * `ServerConnection.NetworkError` when the Jupyter server does not answer at all.
 */
export async function requestAPI<T>(
  path: string,
  settings: ServerConnection.ISettings,
  init: RequestInit = {}
): Promise<T> {
  const response = await fetchResponse(path, settings, init);
  const text = await response.text();
  const body = parse(text);
  if (body === undefined) {
    throw refusal(response, text, body);
  }
  return body as T;
}

/**
 * Ask the server extension for something that is not JSON.
 *
 * @returns the response, whose status is one of success.
 * @throws as {@link requestAPI}.
 */
export async function fetchResponse(
  path: string,
  settings: ServerConnection.ISettings,
  init: RequestInit = {}
): Promise<Response> {
  const url = URLExt.join(settings.baseUrl, NAMESPACE, path);
  const response = await ServerConnection.makeRequest(url, init, settings);
  if (!response.ok) {
    const text = await response.text();
    throw refusal(response, text, parse(text));
  }
  return response;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(
  response: Response,
  text: string,
  body: unknown
): BottegaError {
  if (isRefusal(body)) {
    return new BottegaError(body.code, body.message, response.status);
  }
  if (response.status === 404) {
    // Jupyter's own page: the route is not there because the extension is not.
    return new BottegaError(
      'ServerExtensionMissing',
      'The Jupyter server does not know bottega. Is the bottega_jupyter server extension enabled?',
      404
    );
  }
  return new BottegaError(
    'UnexpectedAnswer',
    `The Jupyter server answered ${response.status} ${response.statusText}: ${text.slice(0, 200)}`,
    response.status
  );
}

function isRefusal(body: unknown): body is IRefusal {
  return (
    typeof body === 'object' &&
    body !== null &&
    'code' in body &&
    typeof body.code === 'string' &&
    'message' in body &&
    typeof body.message === 'string'
  );
}
