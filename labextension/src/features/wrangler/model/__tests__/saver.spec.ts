import { Saver } from '../saver';

it('writes one after the other, and only the last of those that came meanwhile', async () => {
  const written: string[] = [];
  let release: () => void = () => undefined;
  const saver = new Saver(async text => {
    written.push(text);
    await new Promise<void>(resolve => (release = resolve));
  });
  const states: string[] = [];
  saver.changed.connect((_, state) => states.push(state.state));
  const first = saver.save('1');
  void saver.save('2');
  const last = saver.save('3');
  expect(written).toEqual(['1']);
  expect(saver.state.state).toBe('saving');
  release();
  await new Promise(resolve => setTimeout(resolve, 0));
  expect(written).toEqual(['1', '3']);
  release();
  await Promise.all([first, last]);
  expect(states).toEqual(['saving', 'saved']);
});

it('says why a text could not be kept, and keeps it when it is asked again', async () => {
  let works = false;
  const written: string[] = [];
  const saver = new Saver(async text => {
    if (!works) {
      throw new Error('The disk is full.');
    }
    written.push(text);
    return Promise.resolve();
  });
  await saver.save('1');
  expect(saver.state).toMatchObject({
    state: 'failed',
    error: { message: 'The disk is full.' }
  });
  works = true;
  await saver.retry();
  expect(saver.state).toEqual({ state: 'saved' });
  await saver.retry();
  expect(written).toEqual(['1']);
});
