import { errors, recent, trafficCharts } from '../traffic';
import { shellString, snippets } from '../snippets';
import { readable } from '../answer';

const theme = {
  text: 'black',
  background: 'white',
  grid: 'grey',
  family: 'sans',
  colours: ['c0', 'c1', 'c2']
};
const series = {
  Requests: [10, 20],
  Errors4XX: [0, 1],
  Errors5XX: [2, 0],
  LatencyP50: ['NaN' as unknown as number, 0.002],
  LatencyP99: ['NaN' as unknown as number, 0.004]
};

it('shows rates a second, latencies in milliseconds, and gaps as gaps', () => {
  const charts = trafficCharts(
    {
      EndpointName: 'churn',
      PeriodSeconds: 5,
      Times: [1000, 1005],
      Total: series,
      Variants: [],
      Traffic: { RequestsPerSecond: 0, Requests: 0, Errors: 0 }
    },
    theme
  );
  expect(charts.map(chart => chart.lines)).toEqual([
    [{ name: 'total', colour: 'c0', latest: 4 }],
    [
      { name: 'p50', colour: 'c0', latest: 2 },
      { name: 'p99', colour: 'c1', latest: 4 }
    ],
    [
      { name: '4XX', colour: 'c0', latest: 0.2 },
      { name: '5XX', colour: 'c1', latest: 0 }
    ]
  ]);
  expect(charts[1]?.traces[0]).toMatchObject({ y: [null, 2] });
});

it('shows what each variant has, where it is measured', () => {
  const variant = (name: string) => ({
    VariantName: name,
    Series: series,
    Traffic: { RequestsPerSecond: 0, Requests: 0, Errors: 0 },
    Concurrency: [3, 4],
    Instances: ['NaN' as unknown as number, 2]
  });
  const charts = trafficCharts(
    {
      EndpointName: 'churn',
      PeriodSeconds: 5,
      Times: [1000, 1005],
      Total: { ...series, Overhead: [0.0002, 0.0004] },
      Variants: [variant('blue'), variant('green')],
      Traffic: { RequestsPerSecond: 0, Requests: 0, Errors: 0 }
    },
    theme
  );
  const shown = charts.map(chart => [
    chart.id,
    chart.lines.map(line => `${line.name} ${String(line.latest)}`)
  ]);
  expect(shown).toEqual([
    ['requests', ['total 4', 'blue 4', 'green 4']],
    ['latency', ['p50 2', 'p99 4', 'p99 blue 4', 'p99 green 4']],
    ['errors', ['4XX 0.2', '5XX 0']],
    ['overhead', ['mean 0.4']],
    ['concurrency', ['blue 4', 'green 4']],
    ['instances', ['blue 2', 'green 2']]
  ]);
  // One point between gaps is marked; a line shows the others.
  expect(charts[5]?.traces[0]).toMatchObject({
    y: [null, 2],
    line: { shape: 'hv' },
    marker: { size: [0, 5] }
  });
  expect(charts[0]?.traces[0]).toMatchObject({ marker: { size: [0, 0] } });
});

it('reads gaps of a sparkline as nothing, and adds errors up', () => {
  expect(recent(['NaN', 0.5])).toEqual([0, 0.5]);
  expect(errors(series)).toEqual([2, 1]);
});

it('writes requests that any client can send', () => {
  const all = snippets({
    endpoint: 'churn',
    contentType: 'application/json',
    body: `{"name": "O'Hara"}`
  });
  expect(all.map(snippet => snippet.id)).toEqual([
    'boto3',
    'sagemaker',
    'bottega',
    'requests',
    'curl'
  ]);
  expect(all[0]?.code).toContain(`Body="{\\"name\\": \\"O'Hara\\"}"`);
  expect(all[4]?.code).toContain(`--data-binary '{"name": "O'\\''Hara"}'`);
  expect(shellString("it's")).toBe(`'it'\\''s'`);
});

it('writes what a request asks for besides in the words of each client', () => {
  const all = snippets({
    endpoint: 'churn',
    contentType: 'text/csv',
    body: '1',
    variant: 'blue',
    model: 'a.tar.gz',
    container: 'second',
    inferenceId: "it's"
  });
  const code = Object.fromEntries(all.map(({ id, code: text }) => [id, text]));
  expect(Object.keys(code)).toEqual(['boto3', 'sagemaker', 'requests', 'curl']);
  expect(code['boto3']).toMatch(
    /TargetVariant="blue",\n {4}TargetModel="a.tar.gz",\n {4}TargetContainerHostname="second",\n {4}InferenceId="it's",\n {4}Body="1"/
  );
  expect(code['sagemaker']).toContain(
    'predict("1", target_variant="blue", target_model="a.tar.gz", initial_args={"TargetContainerHostname": "second"}, inference_id="it\'s")'
  );
  expect(code['requests']).toContain(
    'headers={"Content-Type": "text/csv", "X-Amzn-SageMaker-Target-Variant": "blue"'
  );
  expect(code['curl']).toContain(
    `-H 'X-Amzn-SageMaker-Inference-Id: it'\\''s' \\\n  --data-binary '1'`
  );
});

it('writes requests whose answers come later', () => {
  const all = snippets({
    endpoint: 'churn',
    contentType: 'text/csv',
    body: '1',
    asynchronous: true
  });
  expect(all.map(snippet => snippet.id)).toEqual(['boto3', 'sagemaker']);
  expect(all[0]?.code).toContain('invoke_endpoint_async');
});

it('sets out JSON, and leaves alone what only claims to be JSON', () => {
  const answer = { variant: '', seconds: 0, contentType: 'application/json' };
  expect(readable({ ...answer, body: '{"a":1}' })).toBe('{\n  "a": 1\n}');
  expect(readable({ ...answer, body: '0.5' })).toBe('0.5');
  expect(readable({ ...answer, body: 'oops{' })).toBe('oops{');
});
