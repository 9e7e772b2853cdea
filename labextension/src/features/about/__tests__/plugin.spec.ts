import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog } from '@jupyterlab/apputils';
import type { ServiceManager } from '@jupyterlab/services';
import { ServerConnection } from '@jupyterlab/services';
import {
  acceptDialog,
  dismissDialog,
  waitForDialog
} from '@jupyterlab/testing';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import { BottegaError } from '../../../api/request';
import { fetchAbout } from '../../../api/about';
import { showAbout } from '../dialog';
import { ABOUT_COMMAND, about } from '../plugin';

const trans = nullTranslator.load('bottega');

/** The settings of a server that answers every request with one response. */
function serverThatAnswers(status: number, body: string) {
  const requests: Request[] = [];
  const settings = ServerConnection.makeSettings({
    baseUrl: 'http://127.0.0.1:8888/',
    fetch: async (input, init) => {
      requests.push(new Request(input, init));
      return new Response(body, { status });
    }
  });
  return { requests, settings };
}

/** The text of the dialog that is on the screen, once it is there. */
async function dialogText(): Promise<string> {
  await waitForDialog();
  return document.querySelector('.jp-Dialog')?.textContent ?? '';
}

afterEach(() => Dialog.flush());

describe('the about command', () => {
  it('shows what the authenticated route says', async () => {
    const { requests, settings } = serverThatAnswers(
      200,
      JSON.stringify({ version: '9.8.7', home: '/home/ada/.bottega' })
    );
    const shown = showAbout(settings, trans);
    const text = await dialogText();
    expect(text).toContain('9.8.7');
    expect(text).toContain('/home/ada/.bottega');
    await acceptDialog();
    await shown;
    // Jupyter adds a query that keeps the browser from answering out of its cache.
    expect(requests.map(request => request.url.split('?')[0])).toEqual([
      'http://127.0.0.1:8888/bottega/about'
    ]);
  });

  it('says why when the server refuses', async () => {
    const { settings } = serverThatAnswers(
      403,
      JSON.stringify({ code: 'AccessDeniedException', message: 'Not for you.' })
    );
    const shown = showAbout(settings, trans);
    expect(await dialogText()).toContain('Not for you.');
    await dismissDialog();
    await shown;
  });

  it('is registered with a label and a description of its arguments', async () => {
    const commands = new CommandRegistry();
    const app = {
      commands,
      serviceManager: { serverSettings: serverThatAnswers(200, '{}').settings }
    } as Partial<JupyterFrontEnd> & {
      serviceManager: Partial<ServiceManager.IManager>;
    };
    await about.activate(app as JupyterFrontEnd, null, null);
    expect(commands.label(ABOUT_COMMAND)).toBe('About Bottega');
    expect(await commands.describedBy(ABOUT_COMMAND)).toMatchObject({
      args: { type: 'object' }
    });
    expect(about.description).toMatch(/version/);
  });
});

describe('a refusal', () => {
  it('keeps code, text and status', async () => {
    const { settings } = serverThatAnswers(
      400,
      '{"code": "ValidationException", "message": "Bad name."}'
    );
    await expect(fetchAbout(settings)).rejects.toMatchObject({
      name: 'BottegaError',
      code: 'ValidationException',
      message: 'Bad name.',
      status: 400
    });
  });

  it('names the missing server extension', async () => {
    const { settings } = serverThatAnswers(404, '<html>not found</html>');
    await expect(fetchAbout(settings)).rejects.toThrow(/server extension/);
  });

  it('is raised when a proxy answers 200 with something else', async () => {
    const { settings } = serverThatAnswers(200, '<html>log in</html>');
    await expect(fetchAbout(settings)).rejects.toBeInstanceOf(BottegaError);
  });
});
