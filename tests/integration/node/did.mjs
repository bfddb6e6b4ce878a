// What the field's libraries make of our registry and of our credentials. Reads one JSON object from standard input,
// {task, rpc, chainId, registry, …}, and writes one to standard output.
import { createVerifiableCredentialJwt, verifyCredential } from 'did-jwt-vc'
import { ES256KSigner } from 'did-jwt'
import { Resolver } from 'did-resolver'
import { getResolver } from 'ethr-did-resolver'

let text = ''
for await (const part of process.stdin) text += part
const asked = JSON.parse(text)
const networks = [{ name: 'dev', chainId: asked.chainId, rpcUrl: asked.rpc, registry: asked.registry }]
const resolver = new Resolver(getResolver({ networks }))

const tasks = {
  resolve: async () => await resolver.resolve(asked.did),
  verify: async () => {
    try {
      const { verified, verifiableCredential } = await verifyCredential(asked.jwt, resolver)
      return { verified, verifiableCredential }
    } catch (error) {
      return { verified: false, reason: String(error.message) }
    }
  },
  issue: async () => {
    const issuer = { did: asked.did, signer: ES256KSigner(Buffer.from(asked.key, 'hex')), alg: 'ES256K' }
    return { jwt: await createVerifiableCredentialJwt(asked.payload, issuer) }
  },
}
console.log(JSON.stringify(await tasks[asked.task]()))
process.exit(0)
