// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token for development chains
/// @notice Worth nothing, minted at will by whoever deployed it, and says so in its name. It cannot be deployed on Ethereum's main network.
abstract contract DevToken is ERC20 {
    /// @notice Who deployed it and may mint.
    address public immutable minter = msg.sender;

    /// @notice This is Ethereum's main network.
    error DevelopmentOnly(uint256 chainId);
    /// @notice Only the minter mints.
    error NotMinter(address caller);

    constructor() {
        if (block.chainid == 1) revert DevelopmentOnly(block.chainid);
    }

    /// @notice Makes `amount` units (18 decimals) for `to` out of nothing.
    function mint(address to, uint256 amount) external {
        if (msg.sender != minter) revert NotMinter(msg.sender);
        _mint(to, amount);
    }
}

/// @title NFNT of development chains
/// @notice Stands for the studio's credits, whose real token has 18 decimals.
contract NFNT is DevToken {
    constructor() ERC20("NFNT (development, worthless)", "NFNT-DEV") {}
}

/// @title GHUB of development chains
/// @notice Stands for the game hub's token, which has 18 decimals.
contract GHUB is DevToken {
    constructor() ERC20("GHUB (development, worthless)", "GHUB-DEV") {}
}
