// Contracts that a job may name: committees, admissions, the register of DIDs, credentials. ABIs of what is read of them.

import type { Abi } from 'viem'
import { abi as credentialAdmission } from '../../../hansa/runtime/chain/artifacts/CredentialAdmission.json'
import { abi as credentials } from '../../../hansa/runtime/chain/artifacts/Credentials.json'
import { abi as registry } from '../../../hansa/runtime/chain/artifacts/DidRegistry.json'
import { abi as reputationAdmission } from '../../../hansa/runtime/chain/artifacts/ReputationAdmission.json'
import { abi as pool } from '../../../hansa/runtime/chain/artifacts/StakedCommittee.json'

export const poolAbi = pool as Abi
export const credentialAdmissionAbi = credentialAdmission as Abi
export const reputationAdmissionAbi = reputationAdmission as Abi
export const registryAbi = registry as Abi
export const credentialsAbi = credentials as Abi

const view = (name: string, inputs: string[], output: string) =>
  ({ type: 'function', name, inputs: inputs.map((type) => ({ type })), outputs: [{ type: output }], stateMutability: 'view' })

/** Of the federation and of committees: what no other part of the page asks. */
export const askedAbi = [view('keyOf', ['address'], 'bytes32'), view('select', ['uint256', 'uint256', 'bytes32', 'uint256'], 'address[]')] as Abi
