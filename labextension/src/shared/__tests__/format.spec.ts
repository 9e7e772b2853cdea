import { trans } from '../../testing/fakeClient';
import {
  ago,
  bytes,
  clock,
  duration,
  latency,
  measured,
  percent,
  span
} from '../format';

it.each([
  [0.42, '0.4 s'],
  [41, '0:41'],
  [760, '12:40'],
  [3600 * 3 + 130, '3:02:10']
])('shows %d seconds as %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

it.each([
  [38.6, '38.6 s'],
  [240, '4 min'],
  [7500, '2 h 5 min']
])('says %d seconds as %s', (seconds, text) => {
  expect(span(seconds)).toBe(text);
});

it('begins the day at 00', () => {
  const midnight = new Date(2026, 10, 26, 0, 4, 41);
  expect(clock(midnight.getTime() / 1000)).toBe('00:04:41');
});

it.each([
  [0, '0 B'],
  [812, '812 B'],
  [3400, '3.4 kB'],
  [999_600, '1.0 MB'],
  [1_234_000_000, '1.2 GB']
])('shows %d bytes as %s', (count, text) => {
  expect(bytes(count)).toBe(text);
});

it.each([
  [0.84123, '0.8412'],
  [18.22, '18.22'],
  [1.2e-7, '1.20e-7'],
  [300, '300'],
  [NaN, 'NaN']
])('shows the measured %d as %s', (value, text) => {
  expect(measured(value)).toBe(text);
});

it('shows latencies and shares', () => {
  expect(latency(0.00082)).toBe('0.82 ms');
  expect(latency(0.0031)).toBe('3.1 ms');
  expect(latency(1.2)).toBe('1.20 s');
  expect(percent(0.0002)).toBe('0.02 %');
  expect(percent(0)).toBe('0 %');
});

it('says how long ago something was', () => {
  expect(ago(1000, 1030, trans)).toBe('just now');
  expect(ago(1000, 1000 + 21 * 60, trans)).toBe('21 min ago');
  expect(ago(1000, 1000 + 7200, trans)).toBe('2 h ago');
});
