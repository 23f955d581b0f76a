import { Construct } from 'constructs';
import { CodingLoopProps } from './coding-loop-props';
import { SessionDriver } from '../driver/session-driver';
import { OperateConfig } from '../operate/constants';

/** Returns the part of the configuration for the people who operate the loop, and grants the driver what it needs. Empty without such props. */
export function operateConfig(_scope: Construct, _props: CodingLoopProps, _driver: SessionDriver): { readonly operate?: OperateConfig } {
  const operate: OperateConfig = {};
  return Object.keys(operate).length === 0 ? {} : { operate };
}
