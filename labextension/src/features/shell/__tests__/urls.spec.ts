import type {
  ILabShell,
  IRouter,
  JupyterFrontEnd
} from '@jupyterlab/application';
import { dismissDialog, waitForDialog } from '@jupyterlab/testing';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import {
  FakeClient,
  FakeStudio,
  screenProps,
  trans
} from '../../../testing/fakeClient';
import { jobIcon } from '../../../shared/icons';
import { parsePath } from '../paths';
import { ScreenWidget } from '../screenWidget';
import { openFromUrl, showPathInUrl } from '../urls';

function aScreen(path: string): ScreenWidget {
  return new ScreenWidget({
    id: path,
    screen: {
      id: 'jobs',
      named: false,
      label: () => 'Jobs',
      icon: jobIcon,
      load: () => Promise.resolve(() => null as unknown as JSX.Element)
    },
    place: parsePath(path),
    client: new FakeClient(),
    studio: screenProps({}).studio,
    trans
  });
}

describe('the address', () => {
  it('follows the screen in front; its choices are no places to go back to', () => {
    const shell = {} as { currentChanged: Signal<object, object> };
    shell.currentChanged = new Signal(shell);
    const router = {
      navigate: (url: string) => window.history.pushState({}, '', url)
    };
    showPathInUrl(shell as unknown as ILabShell, router as unknown as IRouter);
    const jobs = aScreen('jobs');
    const before = window.history.length;
    shell.currentChanged.emit({ newValue: jobs });
    expect(window.location.search).toBe('?bottega=jobs');
    for (const smooth of ['0.1', '0.2', '0.3']) {
      jobs.setParameters({ smooth });
    }
    expect(new URLSearchParams(window.location.search).get('bottega')).toBe(
      'jobs?smooth=0.3'
    );
    expect(window.history.length).toBe(before + 1);
    shell.currentChanged.emit({ newValue: new Widget() });
    expect(window.location.search).toBe('');
  });
});

describe('a link', () => {
  function follow(
    open: (path: string) => void
  ): (search: string) => Promise<unknown> {
    const commands = new CommandRegistry();
    const app = { commands, restored: Promise.resolve() };
    let command = '';
    const router = {
      register: (rule: { command: string }) => {
        command = rule.command;
      }
    };
    openFromUrl(
      app as unknown as JupyterFrontEnd,
      Object.assign(new FakeStudio(), { open }),
      router as unknown as IRouter,
      trans
    );
    return search => commands.execute(command, { search });
  }

  it('opens the screen it names', async () => {
    const opened: string[] = [];
    await follow(path => opened.push(path))('?bottega=jobs/churn?tab%3Dlogs');
    expect(opened).toEqual(['jobs/churn?tab=logs']);
  });

  it('that leads nowhere says so', async () => {
    const followed = follow(() => {
      throw new Error('The Studio has no screen for x/.');
    })('?bottega=x');
    await waitForDialog();
    expect(document.querySelector('.jp-Dialog')?.textContent).toMatch(
      /no screen for x/
    );
    await dismissDialog();
    await followed;
  });
});
