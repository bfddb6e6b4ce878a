// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {JobId} from "./interfaces/IFederation.sol";
import {Books, IVault} from "./interfaces/IVault.sol";

/// @title What is kept of the tokens of each job
abstract contract Accounts is IVault {
    struct Account {
        IERC20 token;
        uint32 endedAt;
        uint32 claimUntil;
        uint32 slashUntil;
        address sponsor;
        uint96 strikePenalty;
        uint128 left;
        uint128 booked;
        uint128 paid;
        uint128 bonded;
        uint128 escrowed;
        uint128 forfeited;
        uint128 burnt;
        uint128 burnSent;
        uint128 refunded;
    }

    /// @dev One for every 160 rounds of a trainer; the bond is in the first.
    struct Tab {
        uint160 claimed; // bitmap of rounds
        uint96 bond;
    }

    struct Pool {
        uint160 root; // low bits of the round's rewards root
        uint96 unpaid;
    }

    uint256 internal constant TAB_ROUNDS = 160;

    mapping(JobId job => Account) internal _accounts;
    mapping(JobId job => mapping(uint256 round => Pool)) internal _pools;
    mapping(JobId job => mapping(address member => uint256 amount)) internal _fees;
    mapping(JobId job => mapping(address trainer => mapping(uint256 index => Tab))) internal _tabs;

    /// @inheritdoc IVault
    function booksOf(JobId job) external view returns (Books memory) {
        Account storage account = _accounts[job];
        return
            Books({
                token: account.token,
                sponsor: account.sponsor,
                endedAt: account.endedAt,
                claimUntil: account.claimUntil,
                slashUntil: account.slashUntil,
                escrowed: account.escrowed,
                left: account.left,
                booked: account.booked,
                paid: account.paid,
                burnt: account.burnt,
                burnSent: account.burnSent,
                refunded: account.refunded,
                bonded: account.bonded,
                forfeited: account.forfeited
            });
    }

    /// @inheritdoc IVault
    function bondOf(JobId job, address trainer) external view returns (uint256) {
        return _tabs[job][trainer][0].bond;
    }

    /// @inheritdoc IVault
    function feesOf(JobId job, address member) external view returns (uint256) {
        return _fees[job][member];
    }

    /// @inheritdoc IVault
    function roundOf(JobId job, uint16 round) external view returns (uint160 root, uint96 unpaid) {
        Pool storage pool = _pools[job][round];
        return (pool.root, pool.unpaid);
    }

    /// @inheritdoc IVault
    function isClaimed(JobId job, address trainer, uint16 round) external view returns (bool) {
        return (_tabs[job][trainer][round / TAB_ROUNDS].claimed >> (round % TAB_ROUNDS)) & 1 == 1;
    }
}
