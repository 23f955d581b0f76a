// Generated from workspace-merge.sh by scripts/embed-scripts.ts. Edit there and run "npx projen embed-scripts".
import { brotliDecompressSync } from 'zlib';

/** workspace-merge.sh, as it is sent. */
export const MERGE_PART = brotliDecompressSync(Buffer.from('G/kDACwKbGO24IdDDOPxtRiRapqFPt9edbuW6UVJ4NucDn+H0gRMbS1bencrw7ZQgKYJk9LXJCIKJoukxIhTNReLBT1q/5mra02hCkarrelci4uDiTFwpS+WjQYtnUxMKInQBuxcWTKmVTafPzVeFPaegpKYcsrvn0/e051n5WGe8smou//2mzSkDLEdNxXOF+Ahg/V/ZappPw+WYpyF02AcTVcQE6sxjGgcLWO9lcixMvttPk5kNg9v9tvZOgDDONfeavMzag2QIj8tSlnYqYVoD/vroFhKGjVmEqWnDO1lMcHn99+wGGN7WPlxoAzpII9a7KFel1iuoyFkClWNYheSn7nr1Kn8hPGCLjjy5VJdWF8Xc6KFLNeRFL967hgHIUNEZFtO+OadBdpg72YwpLMRSMQLWPcZ/uutjbBoCTpQVQRfdjmM1wmBbbmphFXWobbJWxvqjYzx20QVnuOQQonhOHXI9h1HyPaGWKqqp2bXjrfodtEyd3UXis+6IvEhjDoO+n1fG7rwM2aDNZgcUTOCPSRYxEnK9Ettf3/86go7kSDuOs+YHXmjoY6Gns1r20W/z8uIy+RKcV4r/EHcPMzx8opZ+MRMOZrSbGB9IM5hz5ZVCek3my6TH3KN52eyj2fmaQOMo8NG0f5ttqVRcsn9FS765ryrPKUB', 'base64')).toString();
