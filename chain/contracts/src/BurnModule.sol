// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {TreasuryModule} from "./TreasuryModule.sol";

/// @title Burns of batches, each exactly once
/// @notice The host gathers what plugins burn into batches. A batch has an id, an amount and the Merkle root of its reasons; an id burns once,
/// so the host may send it again whenever it does not know what became of it. The tokens come from the treasury, which allows this contract as
/// much as it wants to be burned; this contract never holds any.
///
/// Its keeper is the burner, who only burns, up to a limit per UTC day. What the owner may do, and that it is not to burn, stands in TreasuryModule.
contract BurnModule is TreasuryModule {
    /// @notice A batch that was burned; all zero for an id that was not.
    struct Batch {
        uint96 amount;
        uint64 blockNumber;
        uint64 timestamp;
        bytes32 root;
    }

    /// @notice What is burned.
    ERC20Burnable public immutable token;
    mapping(bytes32 id => Batch) private _batches;

    /// @notice `amount` of the treasury's tokens was burned for the batch `id`.
    /// @param root The Merkle root of the accruals in this batch.
    /// @param day The UTC day that it counts into (days since 1970).
    event BatchBurned(bytes32 indexed id, bytes32 indexed root, uint256 amount, uint256 day);
    /// @notice Another address may burn now; `previous` is zero at the deployment.
    event BurnerChanged(address indexed previous, address indexed current);

    /// @notice The id was burned, with this amount and root: the answer to a retry.
    error AlreadyBurned(bytes32 id, uint256 amount, bytes32 root);
    /// @notice An id, amount or root of zero: it could not be told from a batch that was not burned.
    error EmptyBatch(bytes32 id, uint256 amount, bytes32 root);
    /// @notice Only the burner burns.
    error NotBurner(address caller);

    modifier onlyBurner() {
        if (msg.sender != _keeper) revert NotBurner(msg.sender);
        _;
    }

    /// @param token_ PALM, or another token whose burnFrom burns exactly what it is told.
    /// @param treasury_ Whose tokens are burned; it has to approve this contract.
    /// @param admin The first owner.
    /// @param burner_ The first burner.
    /// @param dayLimit_ The first limit per UTC day.
    constructor(ERC20Burnable token_, address treasury_, address admin, address burner_, uint256 dayLimit_)
        TreasuryModule(address(token_), treasury_, admin)
    {
        token = token_;
        _setBurner(burner_);
        _setDayLimit(dayLimit_);
    }

    /// @notice Burns `amount` of the treasury's tokens for the batch `id`. A repeated id reverts and burns nothing, whatever the rest says.
    /// @param id The batch's name in the host's ledger.
    /// @param amount In the token's units; what is left of today's limit at most.
    /// @param root The Merkle root of the accruals, as OpenZeppelin's trees have it; a later proof needs nothing else from here.
    function burn(bytes32 id, uint256 amount, bytes32 root) external onlyBurner whenNotPaused {
        Batch storage old = _batches[id];
        if (old.amount != 0) revert AlreadyBurned(id, old.amount, old.root);
        if (id == 0 || amount == 0 || root == 0) revert EmptyBatch(id, amount, root);
        Tally memory tally = _tallyOfToday();
        uint96 units = _count(tally, amount);
        _tally = tally;
        _batches[id] = Batch(units, uint64(block.number), uint64(block.timestamp), root);
        emit BatchBurned(id, root, amount, tally.day);

        token.burnFrom(treasury, amount);
    }

    /// @notice Names another burner; the one before may burn no more.
    /// @param next Neither zero nor the owner.
    function setBurner(address next) external onlyOwner {
        _setBurner(next);
    }

    /// @notice Who may burn.
    function burner() external view returns (address) {
        return _keeper;
    }

    /// @notice What is known of the batch `id`: all zero when it was not burned.
    function batch(bytes32 id) external view returns (Batch memory) {
        return _batches[id];
    }

    /// @notice All that was ever burned through this contract.
    function totalBurned() external view returns (uint256) {
        return _tally.total;
    }

    /// @notice How many batches were burned.
    function batchCount() external view returns (uint256) {
        return _tally.count;
    }

    /// @notice What was burned in the current UTC day.
    function burnedToday() external view returns (uint256) {
        return _tallyOfToday().today;
    }

    /// @notice The bytes of an accrual that the host puts under a batch's root: its number in the ledger, its amount, and the hash of its reason.
    function accrualBytes(uint256 accrual, uint256 amount, bytes32 reason) public pure returns (bytes memory) {
        return abi.encode(accrual, amount, reason);
    }

    /// @notice True when the batch `id` was burned and this accrual is under its root.
    /// @param proof The siblings on the way from the leaf to the root.
    function provesAccrual(bytes32 id, uint256 accrual, uint256 amount, bytes32 reason, bytes32[] calldata proof) external view returns (bool) {
        return proves(id, accrualBytes(accrual, amount, reason), proof);
    }

    /// @notice True when the batch `id` was burned and `leaf` is under its root. The bytes are hashed twice here, so no inner node passes for a leaf.
    function proves(bytes32 id, bytes memory leaf, bytes32[] calldata proof) public view returns (bool) {
        bytes32 root = _batches[id].root;
        return root != 0 && MerkleProof.verifyCalldata(proof, root, keccak256(bytes.concat(keccak256(leaf))));
    }

    function _setBurner(address next) private {
        emit BurnerChanged(_setKeeper(next), next);
    }
}
