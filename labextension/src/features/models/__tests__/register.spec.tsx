import { Dialog } from '@jupyterlab/apputils';
import {
  acceptDialog,
  dismissDialog,
  waitForDialog
} from '@jupyterlab/testing';
import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import type { IRegisterRequest } from '../../../api/client';
import { BottegaError } from '../../../api/request';
import type { Answers } from '../../../testing/fakeClient';
import { FakeClient, trans } from '../../../testing/fakeClient';
import { register, RegisterForm, suggestedGroup } from '../registerDialog';
import { ARN, group } from './fixtures';

afterEach(() => {
  Dialog.flush();
});

const groups: Answers = {
  'bottega:ListRegistryGroups': ({ Filter: filter = '' }) => {
    const found = [
      group,
      { ...group, GroupName: 'Houses', Versions: 1 }
    ].filter(one => one.GroupName.toLowerCase().includes(filter.toLowerCase()));
    return { Groups: found, Total: found.length };
  }
};

function showForm(answers: Answers = groups): {
  client: FakeClient;
  container: HTMLElement;
  onChange: jest.Mock<undefined, [IRegisterRequest | null]>;
} {
  const client = new FakeClient(answers);
  const onChange = jest.fn<undefined, [IRegisterRequest | null]>();
  const { container } = render(
    <RegisterForm
      client={client}
      job="churn-20261127-031500"
      trans={trans}
      onChange={onChange}
    />
  );
  return { client, container, onChange };
}

it('suggests the group of the job, and tells what becomes of it', async () => {
  const { container, onChange } = showForm();
  expect(screen.getByText(/Looking for groups/)).toBeTruthy();
  expect(
    await screen.findByText(/The group churn has 2 versions; this becomes/)
  ).toBeTruthy();
  expect(onChange).toHaveBeenLastCalledWith({
    job: 'churn-20261127-031500',
    group: 'churn',
    description: '',
    approved: false
  });
  const name = screen.getByLabelText('Group');
  fireEvent.change(name, { target: { value: 'houses' } });
  expect(
    await screen.findByText(/The group Houses has 1 version;/)
  ).toBeTruthy();
  fireEvent.change(name, { target: { value: 'new' } });
  expect(await screen.findByText(/The group is made/)).toBeTruthy();
  fireEvent.change(screen.getByLabelText(/Description/), {
    target: { value: 'with the new tariffs' }
  });
  await userEvent.selectOptions(
    screen.getByLabelText('Approval'),
    screen.getByRole('option', { name: /^Approved/ })
  );
  expect(onChange).toHaveBeenLastCalledWith({
    job: 'churn-20261127-031500',
    group: 'new',
    description: 'with the new tariffs',
    approved: true
  });
  expect((await axe(container)).violations).toEqual([]);
});

it('refuses a name that is none, and offers all groups for an empty one', async () => {
  const { client, container, onChange } = showForm();
  const name = screen.getByLabelText('Group');
  fireEvent.change(name, { target: { value: 'no name' } });
  expect(onChange).toHaveBeenLastCalledWith(null);
  expect(screen.getByRole('alert')).toBeTruthy();
  expect(name.matches(':invalid')).toBe(true);
  fireEvent.change(name, { target: { value: '' } });
  expect(name.matches(':invalid')).toBe(true);
  await waitFor(() =>
    expect(client.requests('bottega:ListRegistryGroups')).toEqual([
      expect.objectContaining({ Filter: '' })
    ])
  );
  await waitFor(() =>
    expect(
      [...container.querySelectorAll('datalist option')].map(option =>
        option.getAttribute('value')
      )
    ).toEqual(['churn', 'Houses'])
  );
});

it('registers also where the groups cannot be listed', async () => {
  const { onChange } = showForm({
    'bottega:ListRegistryGroups': () => {
      throw new BottegaError('Down', 'The store is gone.', 503);
    }
  });
  expect(
    await screen.findByText(/cannot be listed: The store is gone\. A group/)
  ).toBeTruthy();
  expect(onChange).toHaveBeenLastCalledWith(
    expect.objectContaining({ group: 'churn' })
  );
});

it('does not say that a group is new where it may be among those not listed', async () => {
  showForm({
    'bottega:ListRegistryGroups': () => ({
      Groups: [{ ...group, GroupName: 'churn-a' }],
      Total: 21
    })
  });
  expect(
    await screen.findByText(/where there is none, it is made/)
  ).toBeTruthy();
});

it('registers what the dialog was answered', async () => {
  const client = new FakeClient(groups);
  const asked: IRegisterRequest[] = [];
  client.register = request => {
    asked.push(request);
    return Promise.resolve(`${ARN}/3`);
  };
  const registering = register(client, 'churn', trans);
  await waitForDialog();
  await screen.findByLabelText('Group');
  await acceptDialog();
  expect(await registering).toBe(`${ARN}/3`);
  expect(asked).toEqual([
    { job: 'churn', group: 'churn', description: '', approved: false }
  ]);
  const other = register(client, 'churn', trans);
  await waitForDialog();
  await dismissDialog();
  expect(await other).toBeNull();
  expect(asked).toHaveLength(1);
});

it('makes groups out of the names of jobs', () => {
  expect(suggestedGroup('churn-20261127-031500')).toBe('churn');
  expect(suggestedGroup('churn-20261127-031500-123')).toBe('churn');
  expect(suggestedGroup('churn-3')).toBe('churn-3');
});
