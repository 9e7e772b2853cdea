import { ServerConnection } from '@jupyterlab/services';

import type { IEventBatch } from '../events';
import { EventStream } from '../events';

/** The sockets that were opened; a test speaks through them. */
class FakeSocket {
  static opened: FakeSocket[] = [];
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.opened.push(this);
  }

  close(): void {
    this.onclose?.();
  }

  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  static last(): FakeSocket {
    const socket = FakeSocket.opened[FakeSocket.opened.length - 1];
    if (!socket) {
      throw new Error('no socket was opened');
    }
    return socket;
  }
}

function stream(more: Partial<ServerConnection.ISettings> = {}): EventStream {
  FakeSocket.opened = [];
  const events = new EventStream(
    ServerConnection.makeSettings({
      wsUrl: 'ws://lab.example/base/',
      token: 'secret',
      appendToken: false,
      WebSocket: FakeSocket as unknown as typeof WebSocket,
      ...more
    })
  );
  events.start();
  return events;
}

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

it('connects once, without a token where a cookie does', () => {
  const events = stream();
  events.start();
  expect(FakeSocket.opened.map(socket => socket.url)).toEqual([
    'ws://lab.example/base/bottega/events'
  ]);
  expect(events.status).toBe('connecting');
});

it('shows the token where settings want that', () => {
  stream({ appendToken: true });
  expect(FakeSocket.last().url).toMatch(/\?token=secret$/);
});

it('passes events on, and nothing for a mere cursor', () => {
  const events = stream();
  const heard: IEventBatch[] = [];
  events.received.connect((_, batch) => heard.push(batch));
  FakeSocket.last().say({ events: [], cursor: 'c1', reset: false });
  expect(events.status).toBe('connected');
  expect(heard).toEqual([]);
  const event = { Time: 1, Type: 'ResourceChanged', Name: 'a' };
  FakeSocket.last().say({ events: [event], cursor: 'c2', reset: false });
  expect(heard).toEqual([{ events: [event], reset: false }]);
});

it('takes up behind the last cursor when it was cut off', () => {
  const events = stream();
  FakeSocket.last().say({ events: [], cursor: 'c 1', reset: false });
  FakeSocket.last().close();
  expect(events.status).toBe('reconnecting');
  jest.advanceTimersByTime(250);
  expect(FakeSocket.opened).toHaveLength(2);
  expect(FakeSocket.last().url).toMatch(/\?cursor=c\+1$/);
  FakeSocket.last().say({ events: [], cursor: 'c2', reset: true });
  expect(events.status).toBe('connected');
});

it('has everything read again when the first socket could not be had', () => {
  const events = stream();
  const heard: IEventBatch[] = [];
  events.received.connect((_, batch) => heard.push(batch));
  FakeSocket.last().close();
  jest.advanceTimersByTime(250);
  FakeSocket.last().say({ events: [], cursor: 'c1', reset: false });
  expect(heard).toEqual([{ events: [], reset: true }]);
  FakeSocket.last().close();
  jest.advanceTimersByTime(250);
  FakeSocket.last().say({ events: [], cursor: 'c1', reset: false });
  expect(heard).toHaveLength(1);
});

it('waits longer each time nobody answers', () => {
  stream();
  FakeSocket.last().close();
  jest.advanceTimersByTime(250);
  FakeSocket.last().close();
  jest.advanceTimersByTime(250);
  expect(FakeSocket.opened).toHaveLength(2);
  jest.advanceTimersByTime(250);
  expect(FakeSocket.opened).toHaveLength(3);
});

it('says that the studio itself is away', () => {
  const events = stream();
  FakeSocket.last().say({ status: 'reconnecting' });
  expect(events.status).toBe('reconnecting');
  FakeSocket.last().say({ status: 'connected' });
  expect(events.status).toBe('connected');
});

it('ends with its owner', () => {
  const events = stream();
  events.dispose();
  jest.advanceTimersByTime(60_000);
  expect(FakeSocket.opened).toHaveLength(1);
});
