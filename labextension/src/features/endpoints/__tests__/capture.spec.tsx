import { render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import type {
  ICapturedRecord,
  IListCapturedRecordsResponse
} from '../../../api/types/capture';
import type { IDescribeEndpointOutput } from '../../../api/types/hosting';
import { screenProps } from '../../../testing/fakeClient';
import type { ISample } from '../captureTab';
import { CaptureTab, sampleOf } from '../captureTab';
import { EndpointScreen } from '../endpoint';

jest.mock('../../../shared/charts/plot', () => ({
  Plot: ({ label }: { label: string }) => <div role="img" aria-label={label} />
}));

const endpoint: IDescribeEndpointOutput = {
  EndpointName: 'churn',
  EndpointArn: 'arn:aws:sagemaker:us-east-1:000000000000:endpoint/churn',
  EndpointConfigName: 'churn-config',
  EndpointStatus: 'InService',
  CreationTime: 1000,
  LastModifiedTime: 1000,
  ProductionVariants: [{ VariantName: 'blue' }]
};

const record = (
  id: string,
  more: Partial<ICapturedRecord> = {}
): ICapturedRecord => ({
  EventId: id,
  InferenceTime: 1000,
  VariantName: 'blue',
  Input: {
    ContentType: 'text/csv',
    Encoding: 'CSV',
    Data: `${id},7`,
    Truncated: false
  },
  Output: {
    ContentType: 'text/csv',
    Encoding: 'CSV',
    Data: '0.25',
    Truncated: false
  },
  ...more
});

const answer = (
  more: Partial<IListCapturedRecordsResponse> = {}
): IListCapturedRecordsResponse => ({
  DestinationS3Uri: 's3://bucket/capture',
  SamplingPercentage: 20,
  Records: [],
  Objects: [],
  ObjectCount: 3,
  ByteCount: 1500,
  MoreObjects: true,
  RecordsWaiting: 2,
  RecordsDropped: 0,
  ...more
});

const shown = (response: IListCapturedRecordsResponse) => {
  const used: ISample[] = [];
  const props = screenProps(
    { 'bottega:ListCapturedRecords': () => response },
    { name: 'churn' }
  );
  const { container } = render(
    <CaptureTab
      {...props}
      endpoint={endpoint}
      onUse={sample => used.push(sample)}
    />
  );
  return { container, used };
};

describe('CaptureTab', () => {
  it('shows what is captured and where, and gives a request to be sent again', async () => {
    const { container, used } = shown(
      answer({
        Records: [
          record('a'),
          record('b', {
            Input: {
              ContentType: 'image/png',
              Encoding: 'BASE64',
              Data: 'iVBO',
              Truncated: true
            }
          })
        ]
      })
    );
    const first = (await screen.findByText('a,7')).closest('tr');
    expect(screen.getByText('20 % of the requests')).toBeTruthy();
    expect(screen.getByText('3+ · 1.5 kB+')).toBeTruthy();
    const second = screen.getByText('base64: iVBO…').closest('tr');
    expect(
      within(second as HTMLElement).queryByRole('button', {
        name: 'Use in test'
      })
    ).toBeNull();
    await userEvent.click(
      within(first as HTMLElement).getByRole('button', { name: 'Use in test' })
    );
    expect(used).toEqual([{ contentType: 'text/csv', body: 'a,7' }]);
    expect((await axe(container)).violations).toEqual([]);
  });

  it('says that nothing is captured, and what would do it', async () => {
    const none = answer({ ObjectCount: 0, ByteCount: 0, MoreObjects: false });
    delete none.DestinationS3Uri;
    delete none.SamplingPercentage;
    shown(none);
    expect(
      await screen.findByText(/captures nothing.*DataCaptureConfig/)
    ).toBeTruthy();
  });

  it('waits for the first record', async () => {
    shown(answer());
    expect(await screen.findByText(/Nothing is written yet/)).toBeTruthy();
  });

  it('takes a captured request into the test', async () => {
    const props = screenProps(
      {
        'sagemaker:DescribeEndpoint': () => endpoint,
        'bottega:GetEndpointMetrics': () => new Promise(() => undefined),
        'bottega:ListCapturedRecords': () => answer({ Records: [record('a')] }),
        'bottega:SuggestInvocation': () => ({
          ContentType: 'application/json',
          Body: '{}'
        })
      },
      { name: 'churn', parameters: { tab: 'capture' } }
    );
    const { rerender } = render(<EndpointScreen {...props} />);
    await userEvent.click(
      await screen.findByRole('button', { name: 'Use in test' })
    );
    expect(props.frame.parameters).toEqual({ tab: 'test' });
    rerender(<EndpointScreen {...props} parameters={{ tab: 'test' }} />);
    const body = await screen.findByRole<HTMLTextAreaElement>('textbox', {
      name: 'Body of the request'
    });
    expect(body.value).toBe('a,7');
  });
});

describe('sampleOf', () => {
  const data = {
    ContentType: 'text/csv',
    Encoding: 'CSV' as const,
    Data: '1,2',
    Truncated: false
  };

  it.each([
    [data, { contentType: 'text/csv', body: '1,2' }],
    [{ ...data, Truncated: true }, null],
    [{ ...data, Encoding: 'BASE64' as const }, null],
    [undefined, null]
  ])('of %j is %j', (given, expected) => {
    expect(sampleOf(given)).toEqual(expected);
  });
});
