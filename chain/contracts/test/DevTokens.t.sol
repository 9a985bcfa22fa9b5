// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {DevToken, GHUB, NFNT} from "src/DevTokens.sol";
import {Kit} from "./Kit.sol";

contract DevTokensTest is Kit {
    function test_they_say_what_they_are() public {
        (NFNT nfnt, GHUB ghub) = (new NFNT(), new GHUB());
        vm.assertEq(nfnt.symbol(), "NFNT-DEV", "symbol");
        vm.assertEq(ghub.symbol(), "GHUB-DEV", "symbol");
        vm.assertEq(nfnt.name(), "NFNT (development, worthless)", "name");
        vm.assertEq(ghub.name(), "GHUB (development, worthless)", "name");
        vm.assertEq(nfnt.decimals(), 18, "decimals");
        vm.assertEq(ghub.decimals(), 18, "decimals");
        vm.assertEq(nfnt.totalSupply() + ghub.totalSupply(), 0, "none at first");
    }

    function testFuzz_only_the_minter_mints(address caller, uint256 amount) public {
        NFNT nfnt = new NFNT();
        nfnt.mint(address(0x11), amount);
        vm.assertEq(nfnt.balanceOf(address(0x11)), amount, "minted");
        vm.assume(caller != address(this));
        vm.expectRevert(abi.encodeWithSelector(DevToken.NotMinter.selector, caller));
        vm.prank(caller);
        nfnt.mint(caller, amount);
    }

    function test_not_on_the_main_network() public {
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(DevToken.DevelopmentOnly.selector, 1));
        new GHUB();
    }
}
