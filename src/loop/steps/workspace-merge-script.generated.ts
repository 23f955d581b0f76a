// Generated from workspace-merge.sh by scripts/embed-scripts.ts. Edit there and run "npx projen embed-scripts".
import { brotliDecompressSync } from 'zlib';

/** workspace-merge.sh, as it is sent. */
export const MERGE_PART = brotliDecompressSync(Buffer.from('G+0DACwKbGO06Mcjxed+g0mN1jLMs0p1/TXV+kgvMQd6mSwfUKU2dM5ZIbvoGgrQNGFS+oqkpElEFEz+z820l2Whp/ZHc94aW/CE0tPO3BI//RRaGEUvXrLExr10cjqZmlCRoAnYpbJkzHl1dv85oaWwjxSUiKmkei588V4ePKt204wn59T+t1vESBliu24mXM7AIwar/8l0ou00nKtxEY3DYTxeQE0YjUGL2tYyNlqFnCizXefjSCb98G67nixDMIx1660OBzhZACmyacEztdE/JtTSkRaOIRN9Xxmav2KKz++//gKMzf5qjz0lQac4VGL2bbnGfBn3IWOY5900G/1M3UXd9wXjhFXgvLeD3NZYllOhpcyXsSx49dI+CSOGiFNN2dWbT1Z3wN5N17QzETyIF1DgM/zXW9T17xSvCSUVXJnZMFymAqZlI8Eaa0qb5KEt9UbG+GqqCs9xQlahOewuSPuJ8VuAk7BU1y/Ftm1v2W7j3JzVTSS5tyeS7EKn7aDbvV5twceQNdZkclTNCbeQcBYbMdNrtPP98auj6kjCWOsGmOy5oaCBhu7Ha8dFt8ulxWJ0rTjnPOTNYNivtz5CFj4hU15Gbbaw3BFng2crqoIMzs5cFj/mE4KA7O2YvtkEY7T4S+H3mWlllFxkf4eLvj6tqoxp', 'base64')).toString();
