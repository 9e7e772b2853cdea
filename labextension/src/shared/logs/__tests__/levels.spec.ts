import { logLevel } from '../levels';

describe('the level of a line', () => {
  it.each([
    'ERROR cannot read',
    '2026-11-26 12:00:01 [ERROR] cannot read',
    'error: no such file',
    "KeyError: 'Chrun'",
    'botocore.exceptions.ClientError: denied',
    'Traceback (most recent call last):',
    'CRITICAL:root:out of memory'
  ])('is error in %s', message => {
    expect(logLevel(message)).toBe('error');
  });

  it.each([
    'WARNING:root:slow',
    'x.py:3: UserWarning: column is unusual',
    'Warning: deprecated'
  ])('is warning in %s', message => {
    expect(logLevel(message)).toBe('warning');
  });

  it.each([
    '[0]\ttrain-error:0.12\tvalidation-error:0.13',
    'validation:error=0.3',
    '0 errors, 0 warnings',
    'mean absolute error 0.2',
    'INFO starting'
  ])('is plain in %s', message => {
    expect(logLevel(message)).toBe('plain');
  });
});
