// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title PALM
/// @notice 100,000,000 PALM exist from the launch on, and never more: the constructor gives out the whole published allocation and burns the
/// launch's share before its eyes, and there is no owner, no role and no function that mints. From then on supply + burned = CAP.
/// A burn is a Transfer to the zero address and lowers totalSupply(); coins that someone sends to a dead address are not counted as burned.
contract PALM is ERC20, ERC20Burnable, ERC20Permit {
    /// @notice All that will ever have existed: 100,000,000 PALM, in units of 10^-9.
    uint256 public constant CAP = 100_000_000e9;
    /// @notice What the launch gave to liquidity: 75% of the cap.
    uint256 public constant LIQUIDITY_AT_LAUNCH = 75_000_000e9;
    /// @notice What the launch gave to the reserve: 5% of the cap.
    uint256 public constant RESERVE_AT_LAUNCH = 5_000_000e9;
    /// @notice What the launch burned: 20% of the cap.
    uint256 public constant BURNED_AT_LAUNCH = 20_000_000e9;

    /// @notice The launch gave out everything there is.
    /// @param liquidity Who received LIQUIDITY_AT_LAUNCH.
    /// @param reserve Who received RESERVE_AT_LAUNCH.
    /// @param burned How much of the cap was burned in the same transaction.
    event Launched(address indexed liquidity, address indexed reserve, uint256 burned);

    /// @notice One address was named for both allocations; the supply page could not tell them apart.
    error OneHolder(address holder);

    /// @param liquidity Receives 75,000,000 PALM.
    /// @param reserve Receives 5,000,000 PALM.
    constructor(address liquidity, address reserve) ERC20("PALM", "PALM") ERC20Permit("PALM") {
        if (liquidity == reserve) revert OneHolder(liquidity);
        _mint(liquidity, LIQUIDITY_AT_LAUNCH);
        _mint(reserve, RESERVE_AT_LAUNCH);
        _mint(address(this), BURNED_AT_LAUNCH);
        _burn(address(this), BURNED_AT_LAUNCH);
        assert(totalSupply() + BURNED_AT_LAUNCH == CAP);
        emit Launched(liquidity, reserve, BURNED_AT_LAUNCH);
    }

    /// @notice One PALM is 10^9 units, on chain as in the ledger.
    function decimals() public pure override returns (uint8) {
        return 9;
    }

    /// @notice All that was burned since there is PALM, the launch's share among it.
    function totalBurned() external view returns (uint256) {
        return CAP - totalSupply();
    }
}
