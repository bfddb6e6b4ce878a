// Plays a job on a chain of one's own, step by step, and writes down what the node says of it.

import { createTestClient, http, publicActions, walletActions, type Abi, type Address, type Hex } from 'viem'
import { encodeAbiParameters, encodeFunctionData, numberToHex, size } from 'viem/utils'
import { federationAbi, tokenAbi, vaultAbi } from '../src/chain/abi'
import type { JobState, JobTerms } from '../src/chain/structs'
import { resultHash, sealedVote, type Place } from '../src/protocol/hashes'
import { RewardsTree, type Leaf } from '../src/protocol/merkle'
import { commitment } from '../src/protocol/sheet'
import { readArtifact } from './vectors'
import type { Facts } from './recorded'

/** Everything else about a job is the stage's. */
export type Terms = Omit<JobTerms, 'token' | 'committee' | 'admission'>

/** One act of one party, or the time that passes without one. Numbers: seats. */
export type Step =
  | ['key', Address, Hex]
  | ['members', Address[]] // of the committees that are drawn from now on
  | ['post', Address, Terms, escrow: bigint]
  | ['enrol', Address, bond: bigint]
  | ['lapse'] // the phase runs out, and somebody says so
  | ['ends'] // the phase runs out
  | ['open']
  | ['submit', Address, digest: Hex]
  | ['attest', number, bitmap: Hex]
  | ['release', number, digest: Hex]
  | ['commit', number, sheet: Hex, salt: Hex]
  | ['reveal', number, sheet: Hex, salt: Hex]
  | ['vote', number, model: Hex, rewards: Hex, metric: bigint]
  | ['finalize', model: Hex, rewards: Hex]
  | ['rejoin', Address]
  | ['stop', Address]
  | ['fees', Address]
  | ['claim', Address, round: number, Leaf[]]
  | ['vault', Address, Hex] // a call of the vault
  | ['bond', Address] // once it is free

const SUPPLY = 10n ** 30n
const COMMITTEE = `0x${'c0'.repeat(20)}` as const
const JOB = 1n

const chainAt = (rpc: string) => createTestClient({ mode: 'anvil', transport: http(rpc), pollingInterval: 5 }).extend(publicActions).extend(walletActions)

export class Stage {
  private trainers: Address[] = []

  private constructor(
    private readonly chain: ReturnType<typeof chainAt>, private readonly chainId: number, private readonly by: Address,
    private readonly federation: Address, private readonly vault: Address, private readonly token: Address, private readonly admission: Address,
  ) {}

  /** Deploys everything to an anvil that is fresh. */
  static async at(rpc: string): Promise<Stage> {
    const chain = chainAt(rpc)
    await chain.setBlockTimestampInterval({ interval: 1 })
    const [by] = await chain.getAddresses()
    if (!by) throw new RangeError('the node has no accounts')
    const deploy = async (name: string, args: unknown[] = [], library?: Address): Promise<Address> => {
      const { abi, bytecode, links } = readArtifact(name)
      let code: string = bytecode
      for (const place of links.Terms ?? []) code = code.slice(0, 2 + 2 * place) + library!.slice(2) + code.slice(2 + 2 * (place + 20))
      const hash = await chain.deployContract({ abi, bytecode: code as Hex, args, account: by, chain: null })
      return (await chain.waitForTransactionReceipt({ hash })).contractAddress!
    }
    const federation = await deploy('Federation', [], await deploy('Terms'))
    const vault = await chain.readContract({ address: federation, abi: federationAbi, functionName: 'vault' }) as Address
    const [token, admission] = [await deploy('RewardToken', [SUPPLY]), await deploy('OpenAdmission')]
    return new Stage(chain, await chain.getChainId(), by, federation, vault, token, admission)
  }

  async play(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.act(step)
  }

  /** What the page asks for, as of now. */
  async facts(): Promise<Facts> {
    const logs = await this.chain.getLogs({ address: [this.federation, this.vault], fromBlock: 1n })
    const rows = await Promise.all([...new Set(logs.map(({ blockNumber }) => blockNumber)), 1n, undefined].map((blockNumber) => this.row(blockNumber)))
    const at = rows.pop()!
    const state = await this.state()
    const asked = [
      this.question(this.federation, federationAbi, 'stateAt', [JOB, BigInt(at[1])]),
      this.question(this.federation, federationAbi, 'termsOf', [JOB]),
      this.question(this.vault, vaultAbi, 'booksOf', [JOB]),
      ...this.trainers.flatMap((trainer) => [
        this.question(this.federation, federationAbi, 'trainerOf', [JOB, trainer]), this.question(this.vault, vaultAbi, 'bondOf', [JOB, trainer]),
        ...Array.from({ length: state.round - 1 }, (_, i) => this.question(this.vault, vaultAbi, 'isClaimed', [JOB, trainer, i + 1])),
      ]),
      ...(await this.everSeated()).map((member) => this.question(this.vault, vaultAbi, 'feesOf', [JOB, member])),
    ]
    return {
      chainId: this.chainId, federation: this.federation, vault: this.vault, at, blocks: rows, answers: await Promise.all(asked),
      events: logs.map(({ blockNumber, logIndex, address, topics, data }) => [Number(blockNumber), logIndex, address.toLowerCase(), topics, data]),
    }
  }

  private async row(blockNumber?: bigint): Promise<[number, number, Hex, Hex]> {
    const { number, timestamp, hash, parentHash } = await this.chain.getBlock(blockNumber === undefined ? {} : { blockNumber })
    return [Number(number), Number(timestamp), hash!, parentHash]
  }

  private async question(to: Address, abi: Abi, functionName: string, args: unknown[]): Promise<[string, string]> {
    const data = encodeFunctionData({ abi, functionName, args })
    return [`${to.toLowerCase()} ${data}`, (await this.chain.call({ to, data })).data!]
  }

  private async everSeated(): Promise<Address[]> {
    const opened = await this.chain.getContractEvents({ address: this.federation, abi: federationAbi, eventName: 'CycleOpened', fromBlock: 1n })
    return [...new Set(opened.flatMap((log) => (log as unknown as { args: { committee: Address[] } }).args.committee))]
  }

  private async state(): Promise<Omit<JobState, 'phase'> & { phase: number }> {
    const { timestamp } = await this.chain.getBlock()
    return await this.chain.readContract({ address: this.federation, abi: federationAbi, functionName: 'stateAt', args: [JOB, timestamp] }) as never
  }

  private async act(step: Step): Promise<void> {
    const tell = (from: Address, functionName: string, args: unknown[]) => this.send(from, this.federation, federationAbi, functionName, args)
    const { cycle, sheets, updates, committee, deadline } = await this.state()
    const place: Place = { chainId: this.chainId, federation: this.federation, job: JOB, cycle }
    const seated = (seat: number): Address => committee[seat]!
    switch (step[0]) {
      case 'key': return tell(step[1], 'announceKey', [step[2]])
      case 'members': return this.seat(step[1])
      case 'post': return this.post(step[1], step[2], step[3])
      case 'enrol': return this.enrol(step[1], step[2])
      case 'ends': return this.wait(deadline)
      case 'lapse':
        await this.wait(deadline)
        return tell(this.by, 'failRound', [JOB, cycle])
      case 'open': return tell(this.by, 'open', [JOB])
      case 'submit': return tell(step[1], 'submit', [JOB, cycle, sheets, step[2]])
      case 'attest': return tell(seated(step[1]), 'attest', [JOB, cycle, step[1], step[2]])
      case 'release': return tell(seated(step[1]), 'release', [JOB, cycle, step[1], step[2]])
      case 'commit': return tell(seated(step[1]), 'commitScores', [JOB, cycle, step[1], commitment(place, seated(step[1]), step[2], step[3])])
      case 'reveal': return tell(seated(step[1]), 'revealScores', [JOB, cycle, step[1], step[2], step[3]])
      case 'vote': {
        const sealed = sealedVote(resultHash(place, updates, sheets, step[2], step[3]), step[1])
        return tell(seated(step[1]), 'vote', [JOB, cycle, step[1], sheets, sealed, step[4]])
      }
      case 'finalize': return tell(this.by, 'finalize', [JOB, cycle, { model: step[1], rewards: step[2] }])
      case 'rejoin': return tell(step[1], 'rejoin', [JOB, cycle])
      case 'stop': return tell(step[1], 'stop', [JOB])
      case 'fees': return tell(step[1], 'claimFees', [JOB, committee.indexOf(step[1])])
      case 'claim': return this.claim(step[1], step[2], step[3])
      case 'vault': return this.mined(this.chain.sendTransaction({ account: step[1], to: this.vault, data: step[2], chain: null }))
      case 'bond': return this.bond(step[1])
    }
  }

  /** The committee contract is code that answers with these members, whatever it is asked. */
  private async seat(members: Address[]): Promise<void> {
    const answer = encodeAbiParameters([{ type: 'address[]' }], [members])
    const length = numberToHex(size(answer), { size: 2 }).slice(2)
    const bytecode = `0x61${length}600e60003961${length}6000f3${answer.slice(2)}` as const
    await this.chain.setCode({ address: COMMITTEE, bytecode })
  }

  private async post(sponsor: Address, terms: Terms, escrow: bigint): Promise<void> {
    await this.fund(sponsor, escrow)
    const whole = { ...terms, token: this.token, committee: COMMITTEE, admission: this.admission }
    await this.send(sponsor, this.federation, federationAbi, 'post', [whole, escrow])
  }

  private async enrol(trainer: Address, bond: bigint): Promise<void> {
    await this.fund(trainer, bond)
    const [posted] = await this.chain.getContractEvents({ address: this.federation, abi: federationAbi, eventName: 'JobPosted', fromBlock: 1n })
    const { termsHash } = (posted as unknown as { args: { termsHash: Hex } }).args
    await this.send(trainer, this.federation, federationAbi, 'enrol', [JOB, termsHash, bond, '0x'])
    this.trainers.push(trainer)
  }

  private async claim(trainer: Address, round: number, leaves: Leaf[]): Promise<void> {
    const tree = new RewardsTree(leaves)
    const { pay, strike, reputation } = tree.leaf(trainer)
    const leaf = { pay, strike: strike ? 1n : 0n, reputation: BigInt(reputation) }
    await this.send(this.by, this.vault, vaultAbi, 'claim', [JOB, trainer, [{ round, leaf, proof: tree.proof(trainer) }]])
  }

  private async bond(trainer: Address): Promise<void> {
    const books = await this.chain.readContract({ address: this.vault, abi: vaultAbi, functionName: 'booksOf', args: [JOB] }) as { slashUntil: number }
    await this.wait(books.slashUntil)
    await this.send(trainer, this.vault, vaultAbi, 'claimBond', [JOB, trainer])
  }

  private async fund(account: Address, amount: bigint): Promise<void> {
    await this.send(this.by, this.token, tokenAbi, 'transfer', [account, amount])
    await this.send(account, this.token, tokenAbi, 'approve', [this.vault, amount])
  }

  /** The next block is of this time or later. */
  private async wait(time: number): Promise<void> {
    if ((await this.chain.getBlock()).timestamp < BigInt(time) - 1n) await this.chain.setNextBlockTimestamp({ timestamp: BigInt(time) })
    await this.chain.mine({ blocks: 1 })
  }

  private send(account: Address, address: Address, abi: Abi, functionName: string, args: unknown[]): Promise<void> {
    return this.mined(this.chain.writeContract({ account, address, abi, functionName, args, chain: null } as never))
  }

  private async mined(sent: Promise<Hex>): Promise<void> {
    const { status } = await this.chain.waitForTransactionReceipt({ hash: await sent })
    if (status !== 'success') throw new Error('a transaction was reverted')
  }
}
