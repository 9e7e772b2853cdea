import { Notification } from '@jupyterlab/apputils';

import { FakeClient, FakeStudio, trans } from '../../../testing/fakeClient';
import { notifyOfEnds } from '../notifications';

function listening(): { client: FakeClient; studio: FakeStudio } {
  const client = new FakeClient();
  const studio = new FakeStudio();
  notifyOfEnds(client, studio, trans);
  return { client, studio };
}

function messages(): string[] {
  return Notification.manager.notifications.map(item => item.message);
}

const ended = {
  Kind: 'TrainingJob',
  Name: 'churn',
  Change: 'updated' as const,
  Status: 'Completed'
};

beforeEach(() => {
  Notification.manager.dismiss();
});

it('tells of an end once, and leads to it', () => {
  const { client, studio } = listening();
  client.events.happen({ ...ended, Status: 'InProgress' });
  client.events.happen(ended);
  client.events.happen(ended);
  expect(messages()).toEqual(['Training job churn completed']);
  const [notification] = Notification.manager.notifications;
  notification?.options.actions?.[0]?.callback(new MouseEvent('click'));
  expect(studio.opened).toEqual(['jobs/churn']);
});

it('keeps a failure until it is seen', () => {
  const { client } = listening();
  client.events.happen({ ...ended, Status: 'Failed' });
  expect(messages()).toEqual(['Training job churn failed']);
  expect(Notification.manager.notifications[0]?.options.autoClose).toBe(false);
});

it('tells again of a new job of the name', () => {
  const { client } = listening();
  client.events.happen(ended);
  client.events.happen({ ...ended, Change: 'deleted' });
  client.events.happen({ ...ended, Status: 'InProgress' });
  client.events.happen(ended);
  expect(messages()).toHaveLength(2);
});

it('tells of a tuning job, and not of each of its trials', () => {
  const { client, studio } = listening();
  const tuning = { ...ended, Kind: 'HyperParameterTuningJob' };
  client.events.happen({ ...tuning, Status: 'InProgress' });
  client.events.happen({ ...ended, Name: 'churn-001-0a1b2c3d' });
  client.events.happen({ ...ended, Name: 'sales-001-0a1b2c3d' });
  client.events.happen(tuning);
  expect(messages()).toEqual([
    'Tuning job churn completed',
    'Training job sales-001-0a1b2c3d completed'
  ]);
  const [notification] = Notification.manager.notifications;
  notification?.options.actions?.[0]?.callback(new MouseEvent('click'));
  expect(studio.opened).toEqual(['tuning/churn']);
});

it('says nothing of an old job that is deleted', () => {
  const { client } = listening();
  client.events.happen({ ...ended, Change: 'deleted' });
  expect(messages()).toEqual([]);
});

it('keeps quiet where the settings want that', () => {
  const { client, studio } = listening();
  studio.settings = { ...studio.settings, notifyCompleted: false };
  client.events.happen(ended);
  expect(messages()).toEqual([]);
});
