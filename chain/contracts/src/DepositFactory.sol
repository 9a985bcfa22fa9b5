// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";

/// @title What stands behind every deposit address
/// @notice Deposit addresses are minimal proxies (ERC-1167) of the one Forwarder that their factory made. It sends all of a token, or all ether,
/// to the factory's treasury, when the factory says so, and can do nothing else: no other payee, no owner, no upgrade, no key.
/// It takes no ether once it is deployed: a payment bounces back to its sender. Ether from before is swept by sweepEther.
contract Forwarder {
    using SafeERC20 for IERC20;

    /// @notice Who may ask.
    address public immutable factory = msg.sender;
    /// @notice Who receives.
    address payable public immutable treasury;

    /// @notice Only the factory asks.
    error NotFactory(address caller);

    modifier onlyFactory() {
        if (msg.sender != factory) revert NotFactory(msg.sender);
        _;
    }

    /// @param treasury_ Who receives.
    constructor(address payable treasury_) {
        treasury = treasury_;
    }

    /// @notice Sends `amount` of `token` to the treasury. A token may answer true or nothing; false reverts.
    function sweep(IERC20 token, uint256 amount) external onlyFactory {
        token.safeTransfer(treasury, amount);
    }

    /// @notice Sends all ether to the treasury.
    function sweepEther() external onlyFactory {
        Address.sendValue(treasury, address(this).balance);
    }
}

/// @title Deposit addresses without keys
/// @notice A player's deposit address is known before anything is deployed: CREATE2 of this factory, a salt, and initCodeHash(). What arrives
/// there can only go to the treasury, so anybody may sweep and nobody has to be trusted. There are no roles and nothing can be changed.
///
/// A token that calls back in a transfer finds nothing half done: the only thing that can be asked of anyone here is to send to the treasury.
contract DepositFactory {
    /// @notice The most salts in one call; what fits a transaction with room to spare.
    uint256 public constant SALTS_MAX = 100;
    /// @notice Where everything goes.
    address payable public immutable treasury;
    /// @notice What the deposit addresses are proxies of.
    Forwarder public immutable implementation;
    /// @notice keccak256 of the code that makes a forwarder: the third part of CREATE2.
    bytes32 public immutable initCodeHash;

    /// @notice `forwarder` sent `amount` of `token`, all it had; the treasury's balance rose by `received`, which is less when the token takes a fee.
    event Swept(bytes32 indexed salt, address indexed token, address indexed forwarder, uint256 amount, uint256 received);
    /// @notice `forwarder` sent `amount` of ether.
    event SweptEther(bytes32 indexed salt, address indexed forwarder, uint256 amount);

    /// @notice The treasury is the zero address.
    error NoTreasury();
    /// @notice There is no contract at this address.
    error NoSuchToken(address token);
    /// @notice More than SALTS_MAX in one call.
    error TooManySalts(uint256 count, uint256 max);
    /// @notice The token refused at this salt; leave it out and the others can be swept.
    error SweepFailed(bytes32 salt, address token, bytes reason);

    /// @param treasury_ Where everything goes, for good.
    constructor(address payable treasury_) {
        if (treasury_ == address(0)) revert NoTreasury();
        treasury = treasury_;
        implementation = new Forwarder(treasury_);
        initCodeHash = keccak256(_initCode(implementation));
    }

    /// @notice The deposit address of `salt`, whether deployed or not.
    function addressOf(bytes32 salt) public view returns (address) {
        return Create2.computeAddress(salt, initCodeHash);
    }

    /// @notice Sends all of `token` that lies at the deposit addresses of `salts` to the treasury, and deploys what is not there yet. Where none
    /// lies nothing happens, so a salt may come twice.
    function sweep(IERC20 token, bytes32[] calldata salts) external {
        if (salts.length > SALTS_MAX) revert TooManySalts(salts.length, SALTS_MAX);
        if (address(token).code.length == 0) revert NoSuchToken(address(token));
        uint256 had = token.balanceOf(treasury);
        for (uint256 i = 0; i < salts.length; i++) {
            address forwarder = addressOf(salts[i]);
            uint256 amount = token.balanceOf(forwarder);
            if (amount == 0) continue;
            _deploy(salts[i], forwarder);
            try Forwarder(forwarder).sweep(token, amount) {} catch (bytes memory reason) {
                revert SweepFailed(salts[i], address(token), reason);
            }
            uint256 has = token.balanceOf(treasury);
            emit Swept(salts[i], address(token), forwarder, amount, has > had ? has - had : 0);
            had = has;
        }
    }

    /// @notice Sends the ether that lies at the deposit addresses of `salts` to the treasury. It came by mistake: nobody was told to send ether.
    function sweepEther(bytes32[] calldata salts) external {
        if (salts.length > SALTS_MAX) revert TooManySalts(salts.length, SALTS_MAX);
        for (uint256 i = 0; i < salts.length; i++) {
            address forwarder = addressOf(salts[i]);
            uint256 amount = forwarder.balance;
            if (amount == 0) continue;
            _deploy(salts[i], forwarder);
            emit SweptEther(salts[i], forwarder, amount);
            Forwarder(forwarder).sweepEther();
        }
    }

    function _deploy(bytes32 salt, address forwarder) private {
        if (forwarder.code.length == 0) Create2.deploy(0, salt, _initCode(implementation));
    }

    // ERC-1167's code around the address. OpenZeppelin's Clones deploys the same, but does not give the hash that addresses are computed from.
    function _initCode(Forwarder forwarder) private pure returns (bytes memory) {
        return abi.encodePacked(hex"3d602d80600a3d3981f3363d3d373d3d3d363d73", address(forwarder), hex"5af43d82803e903d91602b57fd5bf3");
    }
}
