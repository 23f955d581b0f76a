import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { IConstruct } from 'constructs';
import { regionFaults, throwOnFaults } from '../private/validation';

/** The event bus of a loop's runs, as `RunEvents` binds it. */
interface BoundEvents {
  /** The bus for rules; the default bus if it is missing. */
  readonly eventBus?: events.IEventBus;
  readonly arn: string;
  /** The name or the ARN by which the driver sends events. */
  readonly name: string;
}

/**
 * The event bus to which the driver sends the events of a loop's runs.
 *
 * The detail types are `CodingLoop Run Started`, `CodingLoop Run Round` and `CodingLoop Run Finished`.
 */
export abstract class RunEvents {
  /** The default event bus of the account and Region. */
  public static onDefaultBus(): RunEvents {
    return new DefaultBusEvents();
  }

  /**
   * An event bus of your own, which may be in another account.
   *
   * A bus in another account needs a resource policy that grants `events:PutEvents` to the role of the driver, and its rules have to be created in
   * that account.
   *
   * @param bus The event bus
   */
  public static onBus(bus: events.IEventBus): RunEvents {
    return new OwnBusEvents(bus);
  }

  /** @internal */
  public abstract _bind(scope: IConstruct): BoundEvents;
}

class DefaultBusEvents extends RunEvents {
  public _bind(scope: IConstruct): BoundEvents {
    const arn = Stack.of(scope).formatArn({ service: 'events', resource: 'event-bus', resourceName: 'default', arnFormat: ArnFormat.SLASH_RESOURCE_NAME });
    return { arn, name: 'default' };
  }
}

class OwnBusEvents extends RunEvents {
  constructor(private readonly bus: events.IEventBus) {
    super();
  }

  public _bind(scope: IConstruct): BoundEvents {
    throwOnFaults(scope, regionFaults('bus', this.bus, scope));
    return { eventBus: this.bus, arn: this.bus.eventBusArn, name: this.bus.eventBusArn };
  }
}
