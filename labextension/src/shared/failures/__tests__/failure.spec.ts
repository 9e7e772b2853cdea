import { parseFailure } from '../failure';

const SCRIPT = `AlgorithmError: ExecuteUserScriptError:
ExitCode 1
ErrorMessage "RuntimeError: the label column is missing"
Command "/usr/bin/python bad.py"

Traceback (most recent call last):
  File "/opt/ml/code/bad.py", line 9, in <module>
    label(df)
RuntimeError: the label column is missing, exit code: 1`;

describe('the reason of a failure', () => {
  it('of a script is its error message, and the traceback', () => {
    const found = parseFailure(SCRIPT);
    expect(found.kind).toBe('ExecuteUserScriptError');
    expect(found.cause).toBe('RuntimeError: the label column is missing');
    expect(found.detail).toMatch(/^Traceback \(most recent call last\)/);
  });

  it('with a traceback alone is the exception', () => {
    const found = parseFailure(
      'AlgorithmError: Traceback (most recent call last):\n  File "t.py", line 1\nValueError: no rows'
    );
    expect(found).toMatchObject({
      kind: 'AlgorithmError',
      cause: 'ValueError: no rows'
    });
  });

  it('of the platform is its sentence', () => {
    expect(parseFailure('ClientError: the prefix s3://b/x is empty.')).toEqual({
      kind: 'ClientError',
      cause: 'the prefix s3://b/x is empty.',
      detail: ''
    });
    expect(parseFailure('AlgorithmError: , exit code: 137').cause).toBe(
      'exit code: 137'
    );
    expect(parseFailure('first\nsecond').detail).toBe('first\nsecond');
  });
});
