import { ServerConnection } from '@jupyterlab/services';

import { BottegaClient } from '../client';

interface ISent {
  url: string;
  method: string;
  headers: Headers;
  body: string;
}

/** A client whose requests are answered here. */
function client(answer: () => Response): {
  bottega: BottegaClient;
  sent: ISent[];
} {
  const sent: ISent[] = [];
  const settings = ServerConnection.makeSettings({
    baseUrl: 'http://lab.example/base/',
    fetch: async (input: RequestInfo | URL, init?: RequestInit) => {
      const request = input as Request;
      const body = init?.body ?? (await request.text?.());
      sent.push({
        url: request.url ?? String(input),
        method: request.method,
        headers: request.headers,
        body: String(body ?? '')
      });
      return answer();
    }
  });
  return { bottega: new BottegaClient(settings), sent };
}

it('posts an operation and gives its answer', async () => {
  const { bottega, sent } = client(
    () => new Response(JSON.stringify({ Jobs: [], Total: 0 }))
  );
  const answer = await bottega.call('bottega:ListJobs', { Filter: 'churn' });
  expect(answer).toEqual({ Jobs: [], Total: 0 });
  expect(sent[0]?.url).toMatch(
    /^http:\/\/lab\.example\/base\/bottega\/operations\/bottega\/ListJobs/
  );
  expect(sent[0]?.method).toBe('POST');
});

it('throws what the server refused with', async () => {
  const { bottega } = client(
    () =>
      new Response(
        JSON.stringify({ code: 'ValidationException', message: 'no such job' }),
        { status: 400 }
      )
  );
  await expect(
    bottega.call('sagemaker:DescribeTrainingJob', { TrainingJobName: 'x' })
  ).rejects.toMatchObject({
    code: 'ValidationException',
    message: 'no such job',
    status: 400
  });
});

it('tells a missing server extension from a refusal', async () => {
  const { bottega } = client(
    () => new Response('<html>', { status: 404, statusText: 'Not Found' })
  );
  await expect(
    bottega.call('bottega:DescribeStudio', {})
  ).rejects.toMatchObject({ code: 'ServerExtensionMissing' });
});

it('invokes an endpoint and reads who answered, and how fast', async () => {
  const { bottega, sent } = client(
    () =>
      new Response('0.07\n', {
        headers: {
          'Content-Type': 'text/csv',
          'X-Bottega-Variant': 'blue',
          'X-Bottega-Seconds': '0.0029'
        }
      })
  );
  const answer = await bottega.invoke('churn a', '1,2', { variant: 'blue' });
  expect(answer).toEqual({
    body: '0.07\n',
    contentType: 'text/csv',
    variant: 'blue',
    seconds: 0.0029
  });
  expect(sent[0]?.url).toMatch(/endpoints\/churn%20a\/invocations/);
  expect(sent[0]?.headers.get('X-Bottega-Target-Variant')).toBe('blue');
});

it('asks for a model, a container and a name of the request', async () => {
  const { bottega, sent } = client(() => new Response(''));
  await bottega.invoke('churn', '1,2', {
    model: 'a.tar.gz',
    container: 'second',
    inferenceId: 'seven'
  });
  const headers = sent[0]?.headers;
  expect(headers?.get('X-Bottega-Target-Model')).toBe('a.tar.gz');
  expect(headers?.get('X-Bottega-Target-Container')).toBe('second');
  expect(headers?.get('X-Bottega-Inference-Id')).toBe('seven');
  expect(headers?.has('X-Bottega-Target-Variant')).toBe(false);
});

it('hands a request to an asynchronous endpoint, and reads the answer once it is there', async () => {
  const taken = {
    inference_id: 'a',
    output: 's3://b/out/a b.out',
    failure: null
  };
  let { bottega, sent } = client(() => new Response(JSON.stringify(taken)));
  expect(
    await bottega.invokeAsync('churn', '1,2', { contentType: 'text/csv' })
  ).toEqual(taken);
  expect(sent[0]?.url).toMatch(/endpoints\/churn\/async-invocations/);

  ({ bottega, sent } = client(
    () =>
      new Response(JSON.stringify({ code: 'NoSuchKey', message: 'not yet' }), {
        status: 404
      })
  ));
  expect(await bottega.readObject(taken.output)).toBeNull();
  expect(sent[0]?.url).toMatch(/objects\/b\/out\/a%20b.out/);

  ({ bottega } = client(() => new Response('0.5')));
  expect(await bottega.readObject(taken.output)).toBe('0.5');

  ({ bottega } = client(
    () =>
      new Response(JSON.stringify({ code: 'AccessDenied', message: 'no' }), {
        status: 403
      })
  ));
  await expect(bottega.readObject(taken.output)).rejects.toMatchObject({
    code: 'AccessDenied'
  });
});

it('leads to downloads, keeping the slashes of a key', () => {
  const { bottega } = client(() => new Response('{}'));
  expect(bottega.downloadUrl('b', 'a b/model.tar.gz')).toBe(
    'http://lab.example/base/bottega/objects/b/a%20b/model.tar.gz'
  );
  expect(bottega.downloadUrl('b', 'm.tar.gz', 'code/x.py')).toBe(
    'http://lab.example/base/bottega/archives/b/m.tar.gz?member=code%2Fx.py'
  );
  expect(bottega.artifactUrl('r1', 'plots/a.png')).toBe(
    'http://lab.example/base/bottega/runs/r1/artifacts?path=plots%2Fa.png'
  );
});

it('checks models and registers them', async () => {
  const finding = { Severity: 'Error', Where: 'x', Message: 'no model_fn' };
  let { bottega, sent } = client(
    () => new Response(JSON.stringify({ Findings: [finding] }))
  );
  expect(await bottega.checkModel({ version: 'churn/3' })).toEqual([finding]);
  expect(sent[0]?.url).toMatch(/base\/bottega\/model-checks/);

  ({ bottega, sent } = client(
    () => new Response(JSON.stringify({ version: 'arn:churn/3' }))
  ));
  expect(await bottega.register({ job: 'a', group: 'churn' })).toBe(
    'arn:churn/3'
  );
  expect(sent[0]?.url).toMatch(/base\/bottega\/registrations/);
});
