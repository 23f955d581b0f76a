export { LoopDashboard, type LoopDashboardProps } from './loop-dashboard';
